/** The origin's pipeline in this process: requests as an edge signs them. */
import type { OriginContext } from '../../origin/origin-context.ts';
import { handle } from '../../origin/pipeline.ts';
import { OpenedOrigin } from './opened-origin.ts';
import { testKeys } from './scripted-origin.ts';
import { principalHeader, signHop } from './signed-hop.ts';

export interface PipelineAsking {
  readonly method?: string;
  readonly body?: string;
  /** An upload whose length is not known, in place of a body. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly subject?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PipelineAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON: a problem document or a document. */
  readonly json: Readonly<Record<string, unknown>>;
}

export class Pipeline extends OpenedOrigin {
  ask(path: string, asking: PipelineAsking = {}): Promise<PipelineAnswer> {
    return askOverHop(this.context, path, asking);
  }
}

/** Asks any origin in this process. */
export async function askOverHop(
  context: OriginContext,
  path: string,
  { method = 'GET', body, stream, subject = 'ada', headers = {} }: PipelineAsking,
): Promise<PipelineAnswer> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : path.includes('/import') ? 'application/x-ndjson' : 'application/json';
  const { url, init } = signHop(testKeys, {
    url: `http://origin.test${path}`, method, ...(body === undefined ? {} : { body }),
    headers: {
      'tombolo-principal': principalHeader(subject, ['editor']),
      'tombolo-request': `req_${crypto.randomUUID()}`,
      ...(body === undefined && stream === undefined ? {} : { 'content-type': type }),
      ...(stream === undefined ? {} : { 'tombolo-upload': 'unknown' }),
      ...headers,
    },
  });
  const response = await handle(context, new Request(url, stream === undefined ? init : { ...init, body: stream }), () => undefined);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: text !== '' && isJson(response.headers) ? JSON.parse(text) : {},
  };
}

function isJson(headers: Headers): boolean {
  return /^application\/(problem\+)?json/.test(headers.get('content-type') ?? '');
}

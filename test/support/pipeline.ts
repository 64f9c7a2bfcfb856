/** The origin's pipeline in this process, on a MongoDB: requests as an edge signs them, and its log. */
import pino from 'pino';
import { type Context, openContext } from '../../origin/context.ts';
import { handle } from '../../origin/pipeline.ts';
import { mustSettings } from '../../origin/settings.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { testKeys } from './scripted-origin.ts';
import { principalHeader, signHop } from './signed-hop.ts';

export interface PipelineAsking {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PipelineAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a problem document, or of a document. */
  readonly json: Readonly<Record<string, unknown>>;
}

export class Pipeline implements AsyncDisposable {
  /** Lines of the log as objects. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  readonly #context: Context;

  static async open(uri: string, contract: Contract): Promise<Pipeline> {
    return new Pipeline(await openContext(mustSettings({ TOMBOLO_KEYS: testKeys, MONGODB_URI: uri, TOMBOLO_LOG_LEVEL: 'silent' }), contract));
  }

  private constructor(context: Context) {
    this.#context = { ...context, log: pino({ base: null }, { write: (line: string) => void this.log.push(JSON.parse(line)) }) };
  }

  async ask(path: string, { method = 'GET', body, headers = {} }: PipelineAsking = {}): Promise<PipelineAnswer> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : path.includes('/import') ? 'application/x-ndjson' : 'application/json';
    const { url, init } = signHop(testKeys, {
      url: `http://origin.test${path}`, method, ...(body === undefined ? {} : { body }),
      headers: { 'tombolo-principal': principalHeader('ada', ['editor']), 'tombolo-request': `req_${crypto.randomUUID()}`, ...(body === undefined ? {} : { 'content-type': type }), ...headers },
    });
    const response = await handle(this.#context, new Request(url, init), () => undefined);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: isJson(response.headers) ? JSON.parse(text) : {} };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}

function isJson(headers: Headers): boolean {
  return /^application\/(problem\+)?json/.test(headers.get('content-type') ?? '');
}

/** One import, from the first byte sent to the summary line read. */
import { principalHeader, signHop } from '../support/signed-hop.ts';
import type { Data } from './data.ts';

export const editor = principalHeader('bench', ['editor']);

/** Seconds that it took; throws unless every row came in. */
export async function importAtOrigin(url: string, keys: string, data: Data): Promise<number> {
  const signed = signHop(keys, {
    url: `${url}/v2/${data.resource}/import`,
    method: 'POST',
    body: data.bytes,
    headers: { 'content-type': data.contentType, 'tombolo-principal': editor },
  });
  return timed(signed.url, signed.init.headers, signed.init.body, data);
}

export async function importThroughEdge(url: string, token: string, data: Data): Promise<number> {
  return timed(
    `${url}/v2/${data.resource}/import`,
    { authorization: `Bearer ${token}`, 'content-type': data.contentType },
    data.bytes,
    data,
  );
}

async function timed(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: Bun.BodyInit | null,
  { name, rows }: Data,
): Promise<number> {
  const started = performance.now();
  const answer = await fetch(url, { method: 'POST', headers, body });
  const text = await answer.text();
  const seconds = (performance.now() - started) / 1_000;
  const summary = text.trimEnd().split('\n').at(-1) ?? '';
  if (!summary.includes(`"imported":${rows},`)) throw new Error(`the import of ${name} is answered ${answer.status}: ${summary}`);
  return seconds;
}

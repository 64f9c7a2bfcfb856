/**
 * Gives an empty store the sample, by the way that anyone's data takes: an import through the edge, with a
 * token of development. Nothing is touched when any of the sample's collections holds a document, or is not Tombolo's own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { served } from '../../shared/resources/all.ts';
import type { StoreState } from '../store/store.ts';

/**
 * The page that a start asks for itself. It is cached as any other, and shows an empty store for up to a second
 * after the sample is in: it must not be one that a person asks for first.
 */
export const probe = 'limit=1&fields=id';

const collections = ['films', 'places', 'cinemas'].filter((name) => served.resources.has(name));

const listSchema = z.object({ data: z.array(z.unknown()) });
const summarySchema = z.object({ summary: z.object({ imported: z.number(), rejected: z.number(), complete: z.literal(true) }) });

/** Imported rows by collection; empty when the store was not. */
export async function seedSample(edgeUrl: string, token: string, { adopted }: StoreState): Promise<ReadonlyMap<string, number>> {
  const imported = new Map<string, number>();
  if (collections.some((name) => adopted.has(served.resources.get(name)?.collection ?? name))) return imported;
  for (const name of collections) if (!(await isEmpty(edgeUrl, name, token))) return imported;
  for (const name of collections) imported.set(name, await importSample(edgeUrl, name, token));
  return imported;
}

async function isEmpty(edgeUrl: string, name: string, token: string): Promise<boolean> {
  const url = `${edgeUrl}/${served.versions.current.name}/${name}?${probe}`;
  const response = await patiently(() => fetch(url, { headers: { authorization: `Bearer ${token}` } }));
  if (!response.ok) throw new Error(`seeding: reading ${name} is answered ${response.status}: ${await response.text()}`);
  return listSchema.parse(await response.json()).data.length === 0;
}

async function importSample(edgeUrl: string, name: string, token: string): Promise<number> {
  const response = await patiently(() => fetch(`${edgeUrl}/${served.versions.current.name}/${name}/import`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: readFileSync(join(import.meta.dir, 'sample', `${name}.ndjson`)),
  }));
  const text = await response.text();
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  const parsed = response.ok ? summarySchema.safeParse(JSON.parse(last)) : undefined;
  if (parsed?.success !== true || parsed.data.summary.rejected > 0) {
    throw new Error(`seeding: the import of ${name} is answered ${response.status}: ${text.slice(0, 1_000)}`);
  }
  return parsed.data.summary.imported;
}

const patienceMsMax = 60_000;

/** Asks again where nothing was done: a machine that starts all of it at once may have too much to do for a moment. */
async function patiently(ask: () => Promise<Response>): Promise<Response> {
  const until = performance.now() + patienceMsMax;
  for (;;) {
    const response = await ask();
    if (response.status !== 503 || performance.now() >= until) return response;
    await response.body?.cancel();
    await Bun.sleep(Number(response.headers.get('retry-after') ?? 1) * 1_000);
  }
}

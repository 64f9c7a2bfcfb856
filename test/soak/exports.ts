/**
 * Everything out and in again: an export is put in the place of what it was made of, and nothing has changed, by what the
 * database says (no document has another revision) and byte for byte. The memory of the process is looked at all the while.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { startWorld, type Engine, type World } from '../support/whole-world.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';

interface Figures {
  readonly engine: Engine;
  readonly rows: number;
  readonly importedPerSecond: number;
  readonly exportedPerSecond: number;
  readonly exportedBytes: number;
  /** Resident, in megabytes: before an export, and the most while it ran. */
  readonly megabytesBefore: number;
  readonly megabytesMax: number;
}

interface Trip {
  readonly figures: Figures;
  readonly violations: readonly string[];
}

export async function roundTrip(engine: Engine, rows: number): Promise<Trip> {
  // With words a million of them do not come in within the time of an import.
  const films = makeWordlessFilms();
  const world = await startWorld({ engine, stack: 'one process', releaseDir: films.releaseDir });
  try {
    const began = performance.now();
    const imported = await importInto(world, rowsOf(rows), '');
    const importedPerSecond = Math.round((rows / (performance.now() - began)) * 1_000);
    const megabytesBefore = residentMegabytes(world);
    const first = await exported(world);
    const again = await importInto(world, (await fetchExport(world)).body, '?onDuplicate=replace');
    const second = await exported(world);
    const violations = [
      ...(imported.imported === rows && imported.rejected === 0 ? [] : [`the import took ${JSON.stringify(imported)}`]),
      ...(first.end.includes(`"rows":${rows},"next":null,"complete":true`) ? [] : [`the export ended with ${first.end}`]),
      ...(again.replaced === rows && again.rejected === 0 ? [] : [`its import took ${JSON.stringify(again)}`]),
      ...(first.digest === second.digest ? [] : ['the export of what was exported and imported is another']),
    ];
    const exportedPerSecond = Math.round((rows / first.ms) * 1_000);
    const { bytes: exportedBytes, megabytesMax } = first;
    return { figures: { engine, rows, importedPerSecond, exportedPerSecond, exportedBytes, megabytesBefore, megabytesMax }, violations };
  } finally {
    await world.close();
    films.remove();
  }
}

function rowsOf(count: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= count) return controller.close();
      const lines = Array.from({ length: Math.min(1_000, count - at) }, () => `${JSON.stringify(toFilm(at++))}\n`);
      controller.enqueue(new TextEncoder().encode(lines.join('')));
    },
  });
}

function toFilm(at: number) {
  return {
    title: `Film ${at} \u{1f3ac} "${at % 97}"`, year: 1_900 + (at % 120),
    cast: [`Actor ${at % 1_009}`, 'Ä, B'], genres: [`Genre ${at % 23}`], href: at % 3 === 0 ? null : `Film_${at}`,
    ...(at % 5 === 0 ? {} : { image: { url: `https://example.org/${at}`, width: at + 1 } }),
  };
}

interface Summary {
  readonly imported: number;
  readonly replaced: number;
  readonly rejected: number;
}

async function importInto(world: World, body: Bun.BodyInit | null, query: string): Promise<Summary> {
  const answer = await world.request(`/v2/films/import${query}`, {
    token: await world.token(), headers: { 'content-type': 'application/x-ndjson' }, ...(body === null ? {} : { body }),
  });
  const last = answer.text.trimEnd().split('\n').at(-1) ?? '';
  return answer.status === 200 ? (JSON.parse(last) as { summary: Summary }).summary : { imported: 0, replaced: 0, rejected: answer.status };
}

function fetchExport(world: World): Promise<Response> {
  return fetch(`${world.edge.url}/v2/films/export`);
}

async function exported(world: World) {
  const began = performance.now();
  const hash = createHash('sha256');
  let [bytes, megabytesMax] = [0, 0];
  let held = Buffer.alloc(0);
  for await (const chunk of (await fetchExport(world)).body ?? []) {
    bytes += chunk.length;
    const all = Buffer.concat([held, chunk]);
    const at = Math.max(0, all.length - endBytesMax);
    hash.update(all.subarray(0, at));
    held = all.subarray(at);
    megabytesMax = Math.max(megabytesMax, residentMegabytes(world));
  }
  // The last mark says where the state stands, which moves though no document does.
  const end = held.toString('latin1').slice(held.lastIndexOf('{"$export"'));
  hash.update(held.subarray(0, held.length - end.length));
  return { ms: performance.now() - began, bytes, megabytesMax, end, digest: hash.digest('hex') };
}

/** More than the last mark has. */
const endBytesMax = 400;

function residentMegabytes(world: World): number {
  const [, pages = '0'] = readFileSync(`/proc/${world.origin.pid}/statm`, 'utf8').split(' ');
  return Math.round((Number(pages) * 4_096) / 1_000_000);
}

/**
 * What words cost a film: creates and imports of the sample's films through `npm run serve` as in production, with the shape by text
 * over title and extract and without it, in turn. `node_modules/.bin/bun test/bench/words.ts`
 */
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import type { OriginProcess } from '../support/origin-process.ts';
import { makeWordlessFilms } from '../support/wordless-films.ts';
import type { Contender } from './contenders.ts';
import { cpuSecondsOf } from './cpu-time.ts';
import { type Data, filmsNdjson } from './data.ts';
import { importThroughEdge } from './imports.ts';
import { LoadGenerator, toRequestBytes } from './load.ts';
import { type Disposals, opened } from './opened.ts';
import { openProduction, toCreateFields } from './production.ts';
import { measure, median } from './rounds.ts';

const rounds = { imports: 3, samples: 7 };
const creates = { roundsMax: 7, untilMs: Number.POSITIVE_INFINITY, forMs: 1_000, warmMs: 2_000, connections: 32 };
const films = filmsNdjson();

interface World {
  readonly token: string;
  /** A new store, with or without words. */
  start(ofWords: boolean): Promise<OriginProcess>;
}

const world = await opened(open);
try {
  process.stdout.write(`${cpus().length} cores, load average of the last five minutes ${(loadavg()[1] ?? 0).toFixed(1)}\n`);
  await tellImports(world, 'import', films, rounds.imports);
  await tellImports(world, 'import of the sample', await sampleOf(), rounds.samples);
  await tellCreates(world);
} finally {
  await world.close();
}

async function open(disposals: Disposals): Promise<World> {
  const { releaseDir, remove } = makeWordlessFilms();
  disposals.push(remove);
  const { token, start } = await openProduction(disposals);
  return { token, start: (ofWords) => start(ofWords ? {} : { releaseDir }) };
}

/** Each into an empty store of a process that has just started. */
async function tellImports({ token, start }: World, what: string, data: Data, rounds: number): Promise<void> {
  const spent = new Map<boolean, number[]>([[false, []], [true, []]]);
  for (let round = 0; round < rounds; round++)
    for (const ofWords of [false, true]) {
      const child = await start(ofWords);
      const before = cpuSecondsOf(child.pid);
      await importThroughEdge(child.url, token, data);
      spent.get(ofWords)?.push(((cpuSecondsOf(child.pid) - before) / data.rows) * 1e6);
      await child.stop();
    }
  tell(`${what}, ${data.rows} films`, spent);
}

async function tellCreates({ token, start }: World): Promise<void> {
  const headers = toCreateFields(token);
  const bodies = new TextDecoder().decode(films.bytes).trimEnd().split('\n');
  const requests = () => bodies.map((body) => toRequestBytes({ method: 'POST', target: '/v2/films', headers, body }));
  const toContender = async (ofWords: boolean): Promise<Contender> => {
    const { port, pid } = await start(ofWords);
    return { name: toName(ofWords), server: { port, pid }, status: 201, mark: 'fwd=method', requests };
  };
  const contenders = [await toContender(false), await toContender(true)];
  const load = new LoadGenerator();
  try {
    const measured = await measure(load, contenders, creates);
    const cpuOf = (ofWords: boolean) => (measured.get(toName(ofWords)) ?? []).map(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest);
    tell('create', new Map([[false, cpuOf(false)], [true, cpuOf(true)]]));
  } finally {
    await load.close();
  }
}

/** What `npm start` puts into an empty store. */
async function sampleOf(): Promise<Data> {
  const bytes = await Bun.file(join(import.meta.dir, '../../origin/dev/sample/films.ndjson')).bytes();
  return { ...films, rows: new TextDecoder().decode(bytes).trimEnd().split('\n').length, bytes };
}

function toName(ofWords: boolean): string {
  return ofWords ? 'with words' : 'without';
}

/** Medians, and of the ratios of each round. */
function tell(what: string, spent: ReadonlyMap<boolean, readonly number[]>): void {
  const [without = [], ofWords = []] = [spent.get(false), spent.get(true)];
  const ratio = median(ofWords.map((micros, round) => micros / (without[round] ?? Number.NaN)));
  const [least, most] = [median(without), median(ofWords)].map((micros) => micros.toFixed(0));
  const told = `${least} µs of CPU a film without, ${most} with words, ${ratio.toFixed(2)} times (${without.length} rounds)`;
  process.stdout.write(`${what}: ${told}\n`);
}

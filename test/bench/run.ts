/**
 * `npm run bench`: the hot paths beside bare Hono, interleaved in one run, then durable creates and imports.
 * Prints a table and writes the record beside this file. `-- --quick` takes under a minute and is rougher;
 * `-- --only origin` measures those whose name contains the word, and neither writes the record; `-- --only forward` writes one of
 * its own, with what each step of a request that goes through costs, and so does `-- edge`, of hits by token and by key and of what
 * is refused. `-- one` compares the ways to serve from one machine instead,
 * PocketBase's too, and `-- data` what else is asked of a data API: words, aggregates, related documents, changes of many; `-- mongo`
 * asks the same of one process on MongoDB and of RESTHeart. `-- jobs` measures jobs, `-- webhooks` webhooks.
 *
 * The machine may be shared and noisy: requests per second are shown, ratios of interleaved rounds and CPU
 * seconds per request are what to compare between runs.
 */
import { join } from 'node:path';
import { type BenchWorld, startBenchWorld } from './bench-world.ts';
import { chosen, type Contender, contendersOf } from './contenders.ts';
import { type Data, filmsNdjson, otherPlacesCsv, placesCsv } from './data.ts';
import { cpuSecondsOf } from './cpu-time.ts';
import { importAtOrigin, importThroughEdge } from './imports.ts';
import { benchJobs } from './jobs.ts';
import { benchWebhooks } from './webhooks.ts';
import { LoadGenerator } from './load.ts';
import { type BenchRecord, type ImportFigures, toRecord } from './record.ts';
import { toPage } from './record-page.ts';
import { dataContenders, dataReadings, onMongo } from './data-contenders.ts';
import { startDataWorld, startMongoWorld, toDataFootprints } from './data-world.ts';
import { oneContenders, oneReadings } from './one-contenders.ts';
import { type Footprint, type OneRecord, toOnePage } from './one-page.ts';
import { startOneWorld, toFootprints } from './one-world.ts';
import { measure, median } from './rounds.ts';

const isQuick = process.argv.includes('--quick');
/** What is compared as users have it, on one machine. */
const whole = process.argv.includes('--only') ? undefined : (['one', 'data', 'mongo'] as const).find((each) => process.argv.includes(each));
const onlyAt = process.argv.indexOf('--only');
/** What the edge answers by itself. */
const isEdge = onlyAt < 0 && process.argv.includes('edge');
const only = isEdge ? ['edge, cached hit', 'edge, refused'] : onlyAt < 0 ? [] : process.argv.slice(onlyAt + 1);
const settings = isQuick
  ? { roundsMax: 3, untilMs: 25_000, forMs: 400, connections: 16, createsPerRound: 4_000, importsMax: 1, importsUntilMs: 40_000 }
  : {
      roundsMax: 9, untilMs: isEdge ? 60_000 : 130_000, forMs: 1_200, connections: 16, createsPerRound: 10_000,
      importsMax: 3, importsUntilMs: 190_000,
    };
const oneSettings = isQuick
  ? { roundsMax: 2, untilMs: 30_000, forMs: 300, warmMs: 1_000, connections: 64 }
  : whole === 'mongo'
    ? { roundsMax: 5, untilMs: 240_000, forMs: 2_000, warmMs: 4_000, connections: 16 }
    : { roundsMax: 5, untilMs: 60_000, forMs: 600, warmMs: 1_500, connections: 64 };

const pocketBasePeer = { name: 'PocketBase', needs: 'Go to build it' } as const;

/** A run that hangs is worth nothing; what it started ends with it. */
const runMsMax = isQuick ? 90_000 : 240_000;

async function bench(world: BenchWorld): Promise<BenchRecord> {
  const load = new LoadGenerator();
  try {
    const contenders = chosen(await contendersOf(world, settings.createsPerRound), only);
    const measured = await measure(load, contenders, settings);
    return toRecord({
      contenders,
      measured,
      imports: only.length > 0 ? [] : await measureImports(world),
      settings: { ...settings, rounds: toRounds(measured), command: toCommand() },
    });
  } finally {
    await load.close();
  }
}

async function benchWhole(contenders: readonly Contender[], footprints: () => readonly Footprint[]): Promise<OneRecord> {
  const load = new LoadGenerator();
  try {
    const measured = await measure(load, contenders, oneSettings);
    const told = { ...oneSettings, rounds: toRounds(measured), command: toCommand() };
    return { ...toRecord({ contenders, measured, imports: [], settings: told }), footprints: footprints() };
  } finally {
    await load.close();
  }
}

function toRounds(measured: ReadonlyMap<string, readonly unknown[]>): number {
  return Math.min(...[...measured.values()].map(({ length }) => length));
}

async function measureImports(world: BenchWorld): Promise<readonly ImportFigures[]> {
  const token = await world.identity.mint({ subject: 'bench', roles: ['editor'] });
  const figures: ImportFigures[] = [];
  for (const uploads of [[placesCsv(), otherPlacesCsv()], [filmsNdjson(), filmsNdjson()]] as const)
    for (const way of ['origin alone', 'through the edge'] as const) {
      figures.push(
        ...await repeat(world, uploads, way, (data) =>
          way === 'origin alone'
            ? importAtOrigin(urlOf(world.origin().port), world.keys, data)
            : importThroughEdge(urlOf(world.edge.port), token, data),
        ),
      );
    }
  return figures;
}

const turns = ['first of its process', 'second'] as const;

/** Repeats two imports, each time into an empty store of a process that has just started, and again when its code is compiled. */
async function repeat(
  world: BenchWorld, uploads: readonly [Data, Data], way: string, run: (data: Data) => Promise<number>,
): Promise<readonly ImportFigures[]> {
  const found = turns.map((turn) => ({ turn, rates: [] as number[], cpuMicros: [] as number[] }));
  for (let round = 0; round < settings.importsMax && (round === 0 || performance.now() < settings.importsUntilMs); round++) {
    await world.empty();
    for (const [index, data] of uploads.entries()) {
      const before = cpuSecondsOf(world.origin().pid);
      found[index]?.rates.push(data.rows / (await run(data)));
      found[index]?.cpuMicros.push(((cpuSecondsOf(world.origin().pid) - before) / data.rows) * 1e6);
    }
  }
  const [{ name, rows }] = uploads;
  return found.map(({ turn, rates, cpuMicros }) =>
    ({ name: `${name}, ${turn}`, way, rows, rowsPerSecond: median(rates), originCpuMicrosPerRow: median(cpuMicros) }));
}

function toCommand(): string {
  const options = [whole ?? [], isQuick ? '--quick' : [], isEdge ? 'edge' : only.length > 0 ? ['--only', ...only] : []].flat();
  return `npm run bench${options.length > 0 ? ` -- ${options.join(' ')}` : ''}`;
}

/** What goes through the Worker has a record of its own, and so has what the edge answers; of any other choice there is none. */
function recordOf(words: readonly string[]): string | undefined {
  if (whole !== undefined || isEdge) return whole ?? 'edge';
  return words.length === 0 ? 'record' : words.join(' ') === 'forward' ? 'forward' : undefined;
}

function urlOf(port: number): string {
  return `http://127.0.0.1:${port}`;
}

const apart = Object.entries({ jobs: benchJobs, webhooks: benchWebhooks }).find(([name]) => process.argv.includes(name));
if (apart !== undefined && !process.argv.includes('--only')) {
  process.stdout.write(await apart[1]());
  process.exit(0);
}
const ways = {
  one: () => toRun(startOneWorld, (made) => benchWhole(oneContenders(made), () => toFootprints(made)),
    (record) => toOnePage({ title: 'One machine', readings: oneReadings, peer: pocketBasePeer }, record)),
  data: () => toRun(startDataWorld, (made) => benchWhole(dataContenders(made), () => toDataFootprints(made)),
    (record) => toOnePage({ title: 'What is asked of a data API', readings: dataReadings, peer: pocketBasePeer }, record)),
  mongo: () => toRun(startMongoWorld, (made) => benchWhole(dataContenders(made), () => toDataFootprints(made)),
    (record) => toOnePage({ title: 'What is asked of a data API, on MongoDB', ...onMongo }, record)),
};
const { world, run } = await (whole === undefined ? toRun(startBenchWorld, bench, toPage) : ways[whole]());
const watchdog = setTimeout(() => stop(`not done after ${runMsMax / 1_000} s`), runMsMax);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop(signal));
try {
  const { record, page } = await run();
  process.stdout.write(page);
  const file = isQuick ? undefined : recordOf(only);
  if (file !== undefined) {
    await Bun.write(join(import.meta.dir, `${file}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
    await Bun.write(join(import.meta.dir, `${file.toUpperCase()}.md`), page);
  }
} finally {
  clearTimeout(watchdog);
  await world.close();
}

async function toRun<World extends { close(): Promise<void> }, Found extends BenchRecord>(
  start: () => Promise<World>,
  measureIn: (world: World) => Promise<Found>,
  toText: (record: Found) => string,
) {
  const started = await start();
  return {
    world: started,
    async run() {
      const record = await measureIn(started);
      return { record, page: toText(record) };
    },
  };
}

function stop(why: string): void {
  process.stderr.write(`bench stops: ${why}\n`);
  void world.close().finally(() => process.exit(1));
}

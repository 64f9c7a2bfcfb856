/**
 * Jobs a second from enqueued to done, on each engine; what a job costs the write that causes it; and what jobs that always fail
 * cost their neighbours. Rounds with and without are interleaved, so that ratios hold on a busy machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { openContext, type Context, type Own } from '../../origin/context.ts';
import { beforeWrite } from '../../origin/documents/before-write.ts';
import { enqueuing } from '../../origin/job-queue/enqueue.ts';
import { job } from '../../origin/job-queue/job.ts';
import { mustSettings } from '../../origin/settings.ts';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { DirectOrigin } from '../support/direct-origin.ts';
import { openMongoDatabase } from '../support/mongo-database.ts';
import { testKeys } from '../support/scripted-origin.ts';
import type { Engine } from '../support/whole-world.ts';
import { median } from './rounds.ts';

const settings = { rounds: 3, jobs: { sqlite: 10_000, mongodb: 500 }, enqueuedAtOnce: 500, concurrency: 500, writes: 2_000, writers: 32 };
const notes = resource({
  name: 'notes', schema: z.object({ text: z.string() }), shapes: { all: {} }, rules: { read: anyone, write: anyone },
});
const served = contract(notes);
const payload = z.object({ n: z.int() });
const queue = { name: 'bench', concurrency: settings.concurrency };

interface Figures {
  readonly engine: string;
  readonly jobsPerSecond: number;
  readonly withPoison: number;
  readonly writeMicros: number;
  readonly writeEnqueuingMicros: number;
}

export async function benchJobs(): Promise<string> {
  const figures = [await measure('sqlite'), await measure('mongodb')];
  const page = toPage(figures);
  writeFileSync(join(import.meta.dir, 'JOBS.md'), page);
  return page;
}

async function measure(engine: Engine): Promise<Figures> {
  const rounds = { plain: [] as number[], poisoned: [] as number[], alone: [] as number[], causing: [] as number[] };
  for (let round = 0; round < settings.rounds; round++) {
    rounds.plain.push(await jobsPerSecond(engine, 0));
    rounds.poisoned.push(await jobsPerSecond(engine, 20));
    rounds.alone.push(await microsPerWrite(engine, false));
    rounds.causing.push(await microsPerWrite(engine, true));
  }
  return {
    engine, jobsPerSecond: median(rounds.plain), withPoison: median(rounds.poisoned),
    writeMicros: median(rounds.alone), writeEnqueuingMicros: median(rounds.causing),
  };
}

/** From the first that is claimed to the last that is done; all of them are enqueued before. */
async function jobsPerSecond(engine: Engine, poisons: number): Promise<number> {
  const count = settings.jobs[engine];
  const { promise: allDone, resolve } = Promise.withResolvers<number>();
  let left = count;
  const plain = job({
    name: 'plain', payload, queue,
    handler: async () => {
      if (--left === 0) resolve(performance.now());
      return undefined;
    },
  });
  const fails = () => Promise.reject(new Error('poison'));
  const poison = job({ name: 'poison', payload, queue, attempts: 10, backoff: { firstMs: 20, maxMs: 200 }, handler: fails });
  const place = await openPlace(engine);
  try {
    const before = await place.open({});
    const poisoned = Array.from({ length: poisons }, () => poison);
    const all = [...poisoned, ...Array.from({ length: count }, () => plain)];
    for (let from = 0; from < all.length; from += settings.enqueuedAtOnce) {
      const mutations = all.slice(from, from + settings.enqueuedAtOnce)
        .map((each, n) => enqueuing(each, { n }, {}, { principal: anonymous, nowMs: Date.now() }));
      await before.store.write(mutations, { deadline: Date.now() + 30_000 });
    }
    await before.services.stop(Date.now() + 5_000);
    const context = await place.open({ jobs: [plain, poison] });
    const startedAt = performance.now();
    const endedAt = await allDone;
    await context.services.stop(Date.now() + 5_000);
    return count / ((endedAt - startedAt) / 1_000);
  } finally {
    await place.remove();
  }
}

/** Creates of one document each, several at once; no worker runs. */
async function microsPerWrite(engine: Engine, isCausing: boolean): Promise<number> {
  const caused = job({ name: 'caused', payload, handler: async () => undefined });
  const hook = beforeWrite(notes, ({ enqueue }) => {
    if (isCausing) enqueue(caused, { n: 1 });
    return {};
  });
  const origin = await DirectOrigin.on(engine, served, { hooks: [hook] });
  try {
    const count = engine === 'sqlite' ? settings.writes : settings.writes / 4;
    let next = 0;
    const write = async () => {
      while (next++ < count) {
        const { outcome } = await origin.ask('create', notes, { body: { text: 'a note of some length, as notes are' } });
        if (outcome !== 'created') throw new Error(`a create was ${outcome}`);
      }
    };
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: settings.writers }, write));
    return ((performance.now() - startedAt) * 1_000) / count;
  } finally {
    await origin[Symbol.asyncDispose]();
  }
}

interface Place {
  open(own: Own): Promise<Context>;
  remove(): Promise<void> | void;
}

async function openPlace(engine: Engine): Promise<Place> {
  const { variables, remove } = engine === 'sqlite' ? onFile() : await onMongo();
  const read = mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
  return { open: (own) => openContext(read, served, own), remove };
}

function onFile() {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-bench-jobs-'));
  return { variables: { TOMBOLO_DATA_DIR: dataDir }, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

async function onMongo() {
  const { uri, remove } = await openMongoDatabase();
  return { variables: { MONGODB_URI: uri }, remove };
}

function toPage(all: readonly Figures[]): string {
  const whole = (value: number) => String(Math.round(value));
  const percent = (value: number) => `${((value - 1) * 100).toFixed(1)} %`;
  return [
    '# Jobs', '',
    'By `npm run bench -- jobs`: medians of interleaved rounds in one process, with durable commits. MongoDB is the test server of this ' +
      `project, on the same machine: its figures say what the queue costs, and not what MongoDB can do. ${cpus().length} cores, load ` +
      `average of the last five minutes ${(loadavg()[1] ?? 0).toFixed(1)}.`, '',
    `Of an empty handler, ${settings.concurrency} attempts at once. Beside poison: 20 jobs that fail at each of ten attempts. A write is a ` +
      `create of one small document, ${settings.writers} at once; with a job, a hook before the write enqueues one.`, '',
    '| engine | jobs/s | beside poison | neighbours lose | a write, µs | with a job, µs | ratio |', '|---|---|---|---|---|---|---|',
    ...all.map(({ engine, jobsPerSecond: plain, withPoison, writeMicros, writeEnqueuingMicros }) =>
      `| ${engine} | ${whole(plain)} | ${whole(withPoison)} | ${percent(plain / withPoison)} | ${whole(writeMicros)} | ` +
      `${whole(writeEnqueuingMicros)} | ${(writeEnqueuingMicros / writeMicros).toFixed(2)} |`), '',
  ].join('\n');
}

/**
 * Jobs a second from enqueued to done, on each engine; what a job costs the write that causes it, at the store and as it is called;
 * and what jobs that always fail cost their neighbours. Rounds with and without are interleaved, so that ratios hold on a busy machine.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { openContext } from '../../origin/open-context.ts';
import type { OriginContext } from '../../origin/origin-context.ts';
import type { Own } from '../../origin/own.ts';
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
import { type Creates, measureCreates } from './enqueuing.ts';
import { median } from './rounds.ts';

const settings = {
  rounds: 5, jobs: { sqlite: 10_000, mongodb: 1_000 }, jobsToAPoison: 500,
  enqueuedAtOnce: 500, concurrency: 500, writes: { sqlite: 12_000, mongodb: 2_000 }, writers: 32,
};
const notes = resource({
  name: 'notes', schema: z.object({ text: z.string() }), shapes: { all: {} }, rules: { read: anyone, write: anyone },
});
const served = contract(notes);
const payload = z.object({ n: z.int() });
const queue = { name: 'bench', concurrency: settings.concurrency };

interface Figures {
  readonly engine: string;
  readonly plain: Spent;
  readonly poisoned: Spent;
  readonly alone: Spent;
  readonly causing: Spent;
}

/** Of one job, or one write. */
interface Spent {
  readonly micros: number;
  readonly cpuMicros: number;
}

export async function benchJobs(): Promise<string> {
  const figures = [await measure('sqlite'), await measure('mongodb')];
  const page = toPage(figures, await measureCreates());
  writeFileSync(join(import.meta.dir, 'JOBS.md'), page);
  return page;
}

async function measure(engine: Engine): Promise<Figures> {
  const rounds = { plain: [] as Spent[], poisoned: [] as Spent[], alone: [] as Spent[], causing: [] as Spent[] };
  // The first rounds of a process pay for what is compiled then.
  await ofJobs(engine, 0);
  await ofWrites(engine, true);
  for (let round = 0; round < settings.rounds; round++) {
    rounds.plain.push(await ofJobs(engine, 0));
    rounds.poisoned.push(await ofJobs(engine, settings.jobs[engine] / settings.jobsToAPoison));
    rounds.alone.push(await ofWrites(engine, false));
    rounds.causing.push(await ofWrites(engine, true));
  }
  return {
    engine, plain: medianOf(rounds.plain), poisoned: medianOf(rounds.poisoned),
    alone: medianOf(rounds.alone), causing: medianOf(rounds.causing),
  };
}

function medianOf(rounds: readonly Spent[]): Spent {
  return { micros: median(rounds.map(({ micros }) => micros)), cpuMicros: median(rounds.map(({ cpuMicros }) => cpuMicros)) };
}

/** CPU is that of this process: of a MongoDB elsewhere it is not known. */
async function spentBy(count: number, run: () => Promise<unknown>): Promise<Spent> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(before);
  return { micros: ((performance.now() - startedAt) * 1_000) / count, cpuMicros: (user + system) / count };
}

/** From the first that is claimed to the last that is done; all of them are enqueued before. */
async function ofJobs(engine: Engine, poisons: number): Promise<Spent> {
  const count = settings.jobs[engine];
  const { promise: allDone, resolve } = Promise.withResolvers<void>();
  let left = count;
  const plain = job({
    name: 'plain', payload, queue,
    handler: async () => {
      if (--left === 0) resolve();
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
    const spent = await spentBy(count, () => allDone);
    await context.services.stop(Date.now() + 5_000);
    return spent;
  } finally {
    await place.remove();
  }
}

/** Creates of one document each, several at once; no worker runs. */
async function ofWrites(engine: Engine, isCausing: boolean): Promise<Spent> {
  const caused = job({ name: 'caused', payload, handler: async () => undefined });
  const hook = beforeWrite(notes, ({ enqueue }) => {
    if (isCausing) enqueue(caused, { n: 1 });
    return {};
  });
  const origin = await DirectOrigin.on(engine, served, { hooks: [hook] });
  try {
    const count = settings.writes[engine];
    let next = 0;
    const write = async () => {
      while (next++ < count) {
        const { outcome } = await origin.ask('create', notes, { body: { text: 'a note of some length, as notes are' } });
        if (outcome !== 'created') throw new Error(`a create was ${outcome}`);
      }
    };
    return await spentBy(count, () => Promise.all(Array.from({ length: settings.writers }, write)));
  } finally {
    await origin[Symbol.asyncDispose]();
  }
}

interface Place {
  open(own: Own): Promise<OriginContext>;
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

function toPage(all: readonly Figures[], { alone, causing, ratio }: Creates): string {
  const whole = (value: number) => String(Math.round(value));
  const perSecond = ({ micros }: Spent) => whole(1_000_000 / micros);
  return [
    '# Jobs', '',
    'By `npm run bench -- jobs`: medians of interleaved rounds in one process, with durable commits. MongoDB is the test server of this ' +
      `project, on the same machine: its figures say what the queue costs, and not what MongoDB can do. ${cpus().length} cores, load ` +
      `average of the last five minutes ${(loadavg()[1] ?? 0).toFixed(1)}.`, '',
    `Of an empty handler, ${settings.concurrency} attempts at once. Beside poison: for each ${settings.jobsToAPoison} jobs one that ` +
      `fails at each of ten attempts. A write is a create of one small document, ${settings.writers} at once; with a job, a hook before ` +
      `the write enqueues one.`, '',
    '|  | jobs/s | CPU µs a job | beside poison, jobs/s | CPU µs | a write, µs | CPU µs | with a job, µs | CPU µs | ratio of CPU |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...all.map(({ engine, plain, poisoned, alone, causing }) => `| ${[
      engine, perSecond(plain), whole(plain.cpuMicros), perSecond(poisoned), whole(poisoned.cpuMicros),
      ...[alone, causing].flatMap(({ micros, cpuMicros }) => [whole(micros), whole(cpuMicros)]),
      (causing.cpuMicros / alone.cpuMicros).toFixed(2),
    ].join(' | ')} |`), '',
    'That is a write at the door of the store, in this process: no HTTP, no checks of a token, no cache. As it is called, a create of a ' +
      'film (declared without words) over HTTP through one process in production (`npm run serve`, SQLite), 32 connections with one ' +
      'request under way on each, CPU of that process; with a job, a hook before the write enqueues one, which nobody runs. The ratio ' +
      'is the median of those of each round.', '',
    '|  | creates/s | CPU µs | with a job, creates/s | CPU µs | a job, CPU µs | ratio of CPU |',
    '|---|---|---|---|---|---|---|',
    `| ${[
      'over HTTP', whole(alone.perSecond), whole(alone.cpuMicros), whole(causing.perSecond), whole(causing.cpuMicros),
      whole(causing.cpuMicros - alone.cpuMicros), ratio.toFixed(2),
    ].join(' | ')} |`, '',
  ].join('\n');
}

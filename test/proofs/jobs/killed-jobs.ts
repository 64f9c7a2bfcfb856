/**
 * Programs that enqueue and run jobs, which fail at random, are killed, each of a seed of its own at a step of the queue or at some
 * moment; then the jobs are compared with the writes that were committed. Two programs run at a time, and where members
 * fail a set of three loses its primary meanwhile, again and again.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { mustSettings } from '../../../origin/settings.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import type { Position } from '../../../shared/wire/position.ts';
import { jobs, type StoredJob } from '../../../shared/jobs/resource.ts';
import { eventually } from '../../support/eventually.ts';
import { openStage, programsAtOnce, type Stage } from '../../support/killed-program.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import type { Engine } from '../../support/whole-world.ts';
import { failMembers } from './failing-members.ts';
import { attemptsMax, type Begun, causing, ends, jobTimes, served, subjects } from './declared.ts';

export interface JobRunOptions {
  readonly engine: Engine;
  readonly seed: number;
  readonly kills: number;
  /** Whether members of a replica set fail meanwhile. */
  readonly membersFail?: boolean;
}

export interface JobRun {
  readonly figures: JobFigures;
  readonly violations: readonly string[];
}

interface JobFigures {
  readonly kills: number;
  /** How often each step was the one, and how often another moment. */
  readonly steps: Readonly<Record<string, number>>;
  readonly failovers: number;
  readonly committed: number;
  readonly done: number;
  readonly begunAgain: number;
}

/** What is there once nothing runs any more. */
export interface Left {
  /** A text for each committed write of a subject, as its job's payload is. */
  readonly owed: readonly string[];
  readonly jobs: ReadonlyMap<string, Pick<StoredJob, 'payload' | 'state' | 'attempt'>>;
  readonly ends: ReadonlySet<string>;
  readonly begun: readonly Begun[];
}

export async function runKilledJobs({ engine, seed, kills, membersFail = false }: JobRunOptions): Promise<JobRun> {
  const stage = await openStage(engine, membersFail ? { members: 3, seed } : {});
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-jobs-'));
  const [file, stepsFile] = [join(dir, 'begun.ndjson'), join(dir, 'steps')];
  try {
    writeFileSync(file, '');
    const random = new Random(seed);
    const from = await begin(stage);
    const calm = new AbortController();
    const failing = membersFail && stage.server !== undefined ? failMembers(stage.server, random, calm.signal) : 0;
    const killing = killPrograms(stage, { random, kills, file, stepsFile }).finally(() => calm.abort());
    const [failovers] = await Promise.all([failing, killing]);
    const context = await open(stage, file);
    await eventually('no job is left', async () => (await unfinished(context)) === 0, { msMax: 60_000, everyMs: 100 });
    const left = await leftIn(context, from, file);
    await context.services.stop(Date.now() + 5_000);
    const steps = linesOf(stepsFile);
    const figures = {
      kills: steps.length, steps: countsOf(steps), failovers,
      committed: left.owed.length, done: left.ends.size, begunAgain: left.begun.filter(({ attempt }) => attempt > 1).length,
    };
    return { figures, violations: violationsIn(left) };
  } finally {
    await stage.remove();
    rmSync(dir, { recursive: true, force: true });
  }
}

function linesOf(file: string): readonly string[] {
  return readFileSync(file, 'utf8').split('\n').filter((line) => line !== '');
}

function countsOf(all: readonly string[]): Readonly<Record<string, number>> {
  return Object.fromEntries([...Map.groupBy(all.toSorted(), (each) => each)].map(([each, same]) => [each, same.length]));
}

function open({ variables }: Stage, file: string | undefined): Promise<OriginContext> {
  const settings = mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
  return openContext(settings, served, file === undefined ? {} : { ...causing(file), jobTimes });
}

async function begin(stage: Stage): Promise<Position> {
  const { store, services } = await open(stage, undefined);
  const head = await store.head();
  await services.stop(Date.now() + 5_000);
  return head;
}

const programFile = join(import.meta.dir, 'working-program.ts');

interface Killing {
  readonly random: Random;
  readonly kills: number;
  readonly file: string;
  readonly stepsFile: string;
}

/** Each program has a seed of its own, and ends by itself. */
async function killPrograms({ place }: Stage, { random, kills, file, stepsFile }: Killing): Promise<void> {
  let begun = 0;
  const run = async () => {
    while (begun++ < kills) {
      const args = [programFile, place, file, stepsFile, String(random.below(2 ** 31))];
      const child = Bun.spawn([process.execPath, ...args], { stdin: 'ignore', stdout: 'inherit', stderr: 'inherit' });
      await child.exited;
      if (child.signalCode !== 'SIGKILL') throw new Error(`a program ended with ${child.exitCode ?? child.signalCode}`);
    }
  };
  await Promise.all(Array.from({ length: programsAtOnce }, run));
}

async function unfinished({ store }: OriginContext): Promise<number> {
  const counts = await Promise.all(['delayed', 'ready', 'running'].map(async (state) => {
    const request = { equal: { state: [state] }, range: undefined, sort: byDue, where: true } as const;
    return (await store.count(jobs, request, 100_000, { deadline: Date.now() + 5_000 })).value;
  }));
  return counts.reduce((sum, count) => sum + count, 0);
}

const byDue = [{ field: 'dueAt', descending: false }, { field: 'id', descending: false }];

async function leftIn(context: OriginContext, from: Position, file: string): Promise<Left> {
  const stored = await Promise.all(['done', 'dead', 'cancelled'].map((state) => jobsOf(context, state)));
  const found = new Map(stored.flat());
  const known = await context.store.many(ends, [...found.keys()], { deadline: Date.now() + 10_000 });
  return {
    owed: await owedSince(context, from), jobs: found, ends: new Set(known.value.map(({ id }) => id)),
    begun: linesOf(file).map((line) => JSON.parse(line) as Begun),
  };
}

async function jobsOf({ store }: OriginContext, state: string): Promise<readonly (readonly [string, StoredJob])[]> {
  const found: (readonly [string, StoredJob])[] = [];
  for (let after: ListRequest['after']; ;) {
    const request: ListRequest = { equal: { state: [state] }, range: undefined, sort: byDue, where: true, after, limit: 1_000 };
    const { value: rows } = await store.list(jobs, request, { deadline: Date.now() + 10_000 });
    found.push(...rows.map(({ document: { id, value } }) => [id, value as unknown as StoredJob] as const));
    after = rows.at(-1)?.keys;
    if (rows.length < 1_000) return found;
  }
}

async function owedSince({ store }: OriginContext, from: Position): Promise<readonly string[]> {
  const end = await store.head();
  const owed: string[] = [];
  for await (const batch of store.watch(from, AbortSignal.timeout(30_000))) {
    if ('lost' in batch) throw new Error('the history that this proof needs was lost');
    for (const change of batch.changes) {
      if (change.kind !== 'document' || change.resource !== subjects.name || !change.after) continue;
      owed.push(JSON.stringify({ of: change.id, n: change.after['n'] ?? 0 }));
    }
    if (batch.through.order >= end.order) return owed;
  }
  throw new Error('the store gave its history too slowly');
}

/** A job for each committed write and no other, each attempt begun once, one end for each job. */
export function violationsIn({ owed, jobs: found, ends: ended, begun }: Left): readonly string[] {
  const enqueued = [...found.values()].map(({ payload }) => payload);
  const claims = Map.groupBy(begun, ({ id, attempt }) => `${id} attempt ${attempt}`);
  return [
    ...missingIn(owed, enqueued).map((payload) => `${payload}: was written, and its job is lost`),
    ...missingIn(enqueued, owed).map((payload) => `${payload}: has a job, and was not written`),
    ...[...claims].filter(([, same]) => same.length > 1).map(([claim]) => `${claim}: was begun more than once`),
    ...[...found].filter(([id, { state }]) => (state === 'done') !== ended.has(id)).map(([id, { state }]) => `${id}: is ${state}, and ${
      ended.has(id) ? 'its end was accepted' : 'has no end'}`),
    ...[...found].filter(([, { state, attempt }]) => state === 'dead' && attempt < attemptsMax).map(([id]) => `${id}: died too early`),
  ];
}

/** What stands in `all` more often than in `others`. */
function missingIn(all: readonly string[], others: readonly string[]): readonly string[] {
  const left = new Map([...Map.groupBy(others, (each) => each)].map(([each, same]) => [each, same.length]));
  return all.filter((each) => {
    const count = left.get(each) ?? 0;
    left.set(each, count - 1);
    return count <= 0;
  });
}

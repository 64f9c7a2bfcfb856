/** What a soak consists of. Each part takes a seed and a number of minutes and gives its figures, or throws. */
import { join } from 'node:path';
import { check } from '../proofs/history/check.ts';
import { type RunFigures, runHistory } from '../proofs/history/killed-origin.ts';
import { grownLooks, looksOf, timesAsMany, tooManyLooks } from '../proofs/bounds/work-bounds.ts';
import { runRotations } from '../proofs/credentials/rotations.ts';
import { runSharing } from '../proofs/history/sharing-processes.ts';
import { runKilledHooks } from '../proofs/hooks/killed-hooks.ts';
import { runKilledJobs } from '../proofs/jobs/killed-jobs.ts';
import { fuzzOrigin } from '../proofs/hostile/origin-fuzz.ts';
import { places, runTrials } from '../proofs/limits/trials.ts';
import { redisServer, RestRedis } from '../support/redis.ts';
import { runKilledWorkflows } from '../proofs/workflows/killed-workflows.ts';
import { runKilledProcess } from '../proofs/one-process/killed-process.ts';
import { runKilledWebhooks } from '../proofs/webhooks/killed-webhooks.ts';
import { type Engine, engines } from '../support/whole-world.ts';
import { runKilledModels } from '../proofs/read-models/killed-models.ts';
import { runScopes } from '../proofs/scopes/run.ts';
import { growth } from './growth.ts';
import { slowBuilds } from './mongo-builds.ts';
import { roundTrip } from './exports.ts';
import { tracesInJaeger } from './jaeger.ts';
import { memberKilled, mongoHistories } from './mongo-histories.ts';
import { fieldRaces } from './mongo-races.ts';

export interface Budget {
  readonly seed: number;
  readonly minutes: number;
}

export interface Outcome {
  /** Counts and times, as they stand in the record. */
  readonly figures: object;
  /** What was broken: empty when all promises held. */
  readonly violations: readonly string[];
}

export interface Part {
  readonly name: string;
  /** The part's share of the whole time. */
  readonly share: number;
  run(budget: Budget): Promise<Outcome>;
}

const killsMin = 20;
const project = join(import.meta.dir, '../..');

/** Histories under short bounds, then under those of a deployment; twenty kills at least in both together. */
async function histories({ seed, minutes }: Budget): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const runs: RunFigures[] = [];
  const violations: string[] = [];
  for (let kills = 0; kills < killsMin || performance.now() < until; ) {
    const bounds = runs.length % 2 === 0 ? { memoMs: 300, feedSilentMs: 400 } : { memoMs: 1_000, feedSilentMs: 1_000 };
    const { history, figures } = await runHistory({
      seed: seed + runs.length, kills: killsMin, writesBetween: 80, edgeRestartEvery: 7, forgetEvery: 5, ...bounds,
    });
    violations.push(...check(history).map(({ law, detail }) => `${law}: ${detail}`));
    runs.push(figures);
    kills += figures.kills;
  }
  return { figures: { runs }, violations };
}

/** Three processes of one SQLite file; each run has two of every disturbance. */
async function sharing({ seed, minutes }: Budget): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const runs: object[] = [];
  const violations: string[] = [];
  while (runs.length === 0 || performance.now() < until) {
    const { history, figures } = await runSharing({ seed: seed + runs.length, processes: 3, rounds: 2, writesBetween: 80 });
    violations.push(...check(history).map(({ law, detail }) => `${law}: ${detail}`));
    runs.push(figures);
  }
  return { figures: { runs }, violations };
}

/** A million films; a tenth on MongoDB, whose test server holds all of it in memory, with the log that it made of each write. */
async function exports(): Promise<Outcome> {
  const trips = [await roundTrip('sqlite', 1_000_000), await roundTrip('mongodb', 100_000)];
  return { figures: { runs: trips.map(({ figures }) => figures) }, violations: trips.flatMap(({ violations }) => violations) };
}

async function scopes({ seed, minutes }: Budget): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const runs: object[] = [];
  const violations: string[] = [];
  while (runs.length === 0 || performance.now() < until) {
    const { findings, figures } = await runScopes({
      engine: engines[runs.length % engines.length] ?? 'sqlite',
      seed: seed + runs.length, writes: 400, answers: 4_000, memoMs: 300, feedSilentMs: 400,
    });
    violations.push(...findings.wrong.map((wrong) => `wrong: ${wrong}`), ...findings.leaked.map((leaked) => `leaked: ${leaked}`));
    runs.push(figures);
  }
  return { figures: { runs }, violations };
}

/** Hooks under kill -9, on both engines by turns. */
const hooks = (budget: Budget) => byTurns(budget, (each) => runKilledHooks({ ...each, kills: killsMin }));
/** The same of workflows. */
const workflows = (budget: Budget) => byTurns(budget, (each) => runKilledWorkflows({ ...each, kills: killsMin, endsMin: killsMin }));

async function byTurns({ seed, minutes }: Budget, run: (of: { engine: Engine; seed: number }) => Promise<Outcome>): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const runs: object[] = [];
  const violations: string[] = [];
  while (runs.length < engines.length || performance.now() < until) {
    const engine = engines[runs.length % engines.length] ?? 'sqlite';
    const left = await run({ engine, seed: seed + runs.length });
    violations.push(...left.violations);
    runs.push({ engine, ...left.figures });
  }
  return { figures: { runs }, violations };
}

/** All at once, since a kill is mostly waiting for the next start. */
const jobRuns = [
  { engine: 'sqlite', membersFail: false }, { engine: 'sqlite', membersFail: false },
  { engine: 'mongodb', membersFail: false }, { engine: 'mongodb', membersFail: true },
] as const;
const jobSeedsEach = 250;
const jobKillsAtOnce = 15;

/** Jobs under kill -9 at every step of the queue: a thousand seeds, each a kill, half of them on each engine, or what the time allows. */
async function jobs({ seed, minutes }: Budget): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const runs = await Promise.all(jobRuns.map(async (given, index) => {
    const steps: Record<string, number> = {};
    const violations: string[] = [];
    const sums = { kills: 0, failovers: 0, committed: 0, done: 0, begunAgain: 0 };
    for (let from = seed + index * jobSeedsEach; sums.kills === 0 || (sums.kills < jobSeedsEach && performance.now() < until); from++) {
      const run = await runKilledJobs({ ...given, seed: from, kills: jobKillsAtOnce });
      for (const name of ['kills', 'failovers', 'committed', 'done', 'begunAgain'] as const) sums[name] += run.figures[name];
      for (const [step, count] of Object.entries(run.figures.steps)) steps[step] = (steps[step] ?? 0) + count;
      violations.push(...run.violations);
    }
    return { figures: { ...given, ...sums, steps }, violations };
  }));
  return { figures: { runs: runs.map(({ figures }) => figures) }, violations: runs.flatMap(({ violations }) => violations) };
}

const changesEach = 10_000;

function webhooks({ seed }: Budget): Promise<Outcome> {
  return runKilledWebhooks({ engine: 'sqlite', seed, changes: changesEach, killsMin });
}

/** As many changes as the test server bears in ten minutes. */
function webhooksOnMongo({ seed }: Budget): Promise<Outcome> {
  return runKilledWebhooks({ engine: 'mongodb', seed, changes: changesEach, killsMin, minutesMax: 10 });
}

/** Read models under kill -9 and changing declarations, on each engine. */
async function readModels({ seed }: Budget): Promise<Outcome> {
  const runs: object[] = [];
  const violations: string[] = [];
  for (const engine of engines) {
    const run = await runKilledModels({ engine, seed, killsMin: 2 * killsMin, turnsMin: killsMin });
    violations.push(...run.violations);
    runs.push({ engine, ...run.figures });
  }
  return { figures: { runs }, violations };
}

/** Documents. */
const boundsAmong = 100_000;

/**
 * What each kind of read looks into, among many documents and a quarter of them. Among fewer, on SQLite, ids that are scattered
 * share the leaves of their index, 58 among 10 000 documents: 200 places have 56 of them, and 169 of the 575 among 100 000.
 */
async function workBounds(engine: Engine, { seed }: Budget): Promise<Outcome> {
  const quarter = boundsAmong / 4;
  const few = await looksOf(engine, quarter, { seed, questionsEach: 10 });
  const many = await looksOf(engine, boundsAmong, { seed, questionsEach: 10, few: quarter });
  return {
    figures: { runs: [few, many].map(({ shared: _, ...told }) => told), timesAsMany: timesAsMany(few, many) },
    violations: [...tooManyLooks(few), ...tooManyLooks(many), ...grownLooks(few, many)],
  };
}

const processKillsEach = 100;

/** Edge and origin as one process, killed a hundred times on each engine, both at once: most of a round is waiting. */
async function oneProcess({ seed }: Budget): Promise<Outcome> {
  const runs = await Promise.all(engines.map((engine) => runKilledProcess({ engine, seed, rounds: processKillsEach })));
  return {
    figures: { runs: runs.map(({ figures }) => figures) },
    violations: runs.flatMap(({ figures: { engine }, violations }) => violations.map((violation) => `${engine}: ${violation}`)),
  };
}

const rotationsEach = 84;

/** A thousand restarts and rotations, half of them on each engine. */
async function credentials({ seed }: Budget): Promise<Outcome> {
  const runs: object[] = [];
  const violations: string[] = [];
  for (const engine of engines) {
    const run = await runRotations({ engine, seed, restartsEach: rotationsEach, changesEach: rotationsEach });
    violations.push(...run.violations.map((violation) => `${engine}: ${violation}`));
    runs.push(run.figures);
  }
  return { figures: { runs }, violations };
}

/** Ten kills of the origin and ten of the Redis that its edge uses. */
async function redisHistories({ seed }: Budget): Promise<Outcome> {
  await using redis = await RestRedis.start({ isKept: true });
  const { history, figures } = await runHistory({ redis, seed, kills: killsMin, writesBetween: 80, memoMs: 300, feedSilentMs: 400 });
  return { figures, violations: check(history).map(({ law, detail }) => `${law}: ${detail}`) };
}

const trialsEach = 10_000;

async function limits({ seed }: Budget): Promise<Outcome> {
  if (!redisServer.met) throw new Error(`needs ${redisServer.what}`);
  const runs = await Promise.all(places.map((place) => runTrials(place, { seed, trials: trialsEach })));
  return { figures: { runs: runs.map(({ figures }) => figures) }, violations: runs.flatMap(({ violations }) => violations) };
}

const inputsAtOnce = 50_000;

async function parsers({ seed, minutes }: Budget): Promise<Outcome> {
  const until = performance.now() + minutes * 60_000;
  const statuses: Record<string, number> = {};
  let inputs = 0;
  for (let round = 0; inputs === 0 || performance.now() < until; round++) {
    const figures = await fuzzOrigin({ seed: seed + round, inputs: inputsAtOnce });
    for (const [status, count] of Object.entries(figures.statuses)) statuses[status] = (statuses[status] ?? 0) + count;
    inputs += figures.inputs;
  }
  return { figures: { inputs, statuses }, violations: [] };
}

/** The suite runs two hundred, in some seconds, and as many times more as it is told. */
const sequencesAtOnce = 200;
const sequencesPerMinute = 1_500;

/** The store's suite says itself how often it runs; it is another process, which ends with it. */
async function storeModel({ minutes }: Budget): Promise<Outcome> {
  const factor = Math.max(1, Math.round((minutes * sequencesPerMinute) / sequencesAtOnce));
  const child = Bun.spawn([process.execPath, 'test', './test/suites/store/sqlite-model.test.ts'], {
    cwd: project,
    env: { ...process.env, TOMBOLO_SOAK: String(factor) },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { figures: { sequences: sequencesAtOnce * factor }, violations: code === 0 ? [] : [`${out}${err}`.slice(-2_000)] };
}

export const parts: readonly Part[] = [
  { name: 'histories', share: 0.15, run: histories },
  { name: 'processes of one file', share: 0.05, run: sharing },
  // This part runs at least a thousand seeds, however long they take.
  { name: 'histories on MongoDB', share: 0.4, run: mongoHistories },
  { name: 'histories on Redis', share: 0, run: redisHistories },
  { name: 'writes while members die', share: 0.05, run: memberKilled },
  // These two have their own lengths: ten thousand races at least, and a minute.
  { name: 'races on one document', share: 0, run: fieldRaces },
  { name: 'slow builds', share: 0, run: slowBuilds },
  { name: 'scopes', share: 0.1, run: scopes },
  { name: 'parsers', share: 0.1, run: parsers },
  { name: 'store model', share: 0.05, run: storeModel },
  { name: 'hooks', share: 0.05, run: hooks },
  // A thousand seeds where the machine has nothing else to do.
  { name: 'jobs', share: 0.5, run: jobs },
  { name: 'workflows', share: 0.05, run: workflows },
  // Ten thousand changes, some ten minutes on a machine that does nothing else; and ten minutes.
  { name: 'webhooks', share: 0, run: webhooks },
  { name: 'webhooks on MongoDB', share: 0, run: webhooksOnMongo },
  { name: 'read models', share: 0, run: readModels },
  // Two hundred kills, some five minutes.
  { name: 'one process', share: 0, run: oneProcess },
  // Six kinds of turns on two engines, half an hour.
  { name: 'credentials', share: 0, run: credentials },
  // Ten thousand trials in each place that counts, some two minutes.
  { name: 'limits', share: 0, run: limits },
  // Stores of up to a million documents, some two minutes; on MongoDB up to a hundred thousand.
  { name: 'growth', share: 0, run: (budget) => growth('sqlite', budget) },
  { name: 'growth on MongoDB', share: 0, run: (budget) => growth('mongodb', budget) },
  // A hundred thousand documents, some five minutes, and forty thousand on MongoDB.
  { name: 'bounds', share: 0, run: (budget) => workBounds('sqlite', budget) },
  { name: 'bounds on MongoDB', share: 0, run: (budget) => workBounds('mongodb', budget) },
  { name: 'exports', share: 0, run: exports },
  // A minute, and the time in which Jaeger is built, once.
  { name: 'traces in Jaeger', share: 0, run: tracesInJaeger },
];

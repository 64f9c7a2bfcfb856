/**
 * A history under kill -9: clients that write, read and listen through the real edge while the real origin is killed and
 * started again, and by turns the Redis that the edge keeps its state in, where one is given. Everything they ask and are
 * answered is kept; nothing is judged here.
 */
import { forgeToken } from '../../support/forged-token.ts';
import { Random } from '../../support/random.ts';
import type { RestRedis } from '../../support/redis.ts';
import { type Stack, startWorld, type World } from '../../support/whole-world.ts';
import { stalenessOf } from './check-reads.ts';
import { edgeDoor, sendHop, type Door } from './door.ts';
import type { History } from './history.ts';
import { readAll, readForEver } from './readers.ts';
import { type ClientFigures, figuresOf, Run, subjects } from './run.ts';
import { SqliteCommits } from './sqlite-commits.ts';
import { Listener } from './subscribers.ts';
import { writeForEver, writeLast } from './writers.ts';

export interface RunOptions {
  /** In workerd unless said. */
  readonly stack?: Stack;
  readonly seed: number;
  readonly kills: number;
  readonly memoMs?: number;
  readonly feedSilentMs?: number;
  /** The least number of writes acknowledged between two kills. */
  readonly writesBetween?: number;
  /** Every so many kills the edge is restarted too, or the log forgets its past. */
  readonly edgeRestartEvery?: number;
  readonly forgetEvery?: number;
  /** Killed every second time in place of the origin. */
  readonly redis?: RestRedis;
}

export interface RunFigures extends ClientFigures {
  readonly kills: number;
  readonly edgeRestarts: number;
  readonly forgotten: number;
  /** The time from each kill to the next acknowledged write. */
  readonly backMs: readonly number[];
  /** How long ago what a read did not show had been acknowledged, over all documents read: p99 and the worst. */
  readonly staleMs: { readonly p99: number; readonly worst: number };
}

/** What a Redis that is killed loses of what it acknowledged, one after the other. */
const losses = ['nothing', 'last', 'all'] as const;

/** Clocks are read in whole milliseconds on the way. */
const roundingMs = 10;

export async function runHistory(options: RunOptions): Promise<{ history: History; figures: RunFigures }> {
  const { memoMs = 1_000, feedSilentMs = 1_000, stack = 'workerd' } = options;
  const world = await startWorld({ engine: 'sqlite', stack, memoMs, feedSilentMs, variables: { ...options.redis?.variables } });
  try {
    const tokens = new Map<string | undefined, string>(
      await Promise.all(
        subjects.map(async (subject) => [subject, await forgeToken(world, { payload: { sub: subject, plan: 'bench' } })] as const),
      ),
    );
    const run = new Run(edgeDoor(world, tokens), new Random(options.seed));
    const log = new SqliteCommits(world.dataDir);
    const listeners = [undefined, 'alice'].flatMap((subject) =>
      [run.door, stack === 'workerd' ? originDoor(world) : run.door].map(
        (door, index) => new Listener(run, { subject, door, isForgetful: index > 0 && subject === undefined }),
      ),
    );
    const writing = Array.from({ length: 4 }, (_, index) => writeForEver(run, index));
    const reading = Array.from({ length: 4 }, () => readForEver(run));
    const faults = await injectFaults(run, world, log, options);
    run.stopped = true;
    await Promise.all([...writing, ...reading]);
    await writeLast(run);
    await readAll(run);
    const commits = log.read();
    await Promise.all(listeners.map((listener) => listener.finish(commits.at(-1)?.position)));
    const history: History = {
      staleMsMax: memoMs + feedSilentMs + roundingMs,
      writes: run.writes,
      reads: run.reads,
      subscribers: listeners.map((listener) => listener.record),
      commits,
    };
    return { history, figures: { ...faults, ...figuresOf(run, listeners), staleMs: toStaleFigures(stalenessOf(history)) } };
  } finally {
    await world.close();
  }
}

function originDoor({ origin, keys }: World): Door {
  return { name: 'by the hop', send: (path, sent, signal) => ({ response: sendHop({ url: origin.url, keys }, path, sent, signal) }) };
}

async function injectFaults(
  run: Run,
  world: World,
  log: SqliteCommits,
  { kills, writesBetween = 60, edgeRestartEvery = 0, forgetEvery = 0, redis }: RunOptions,
) {
  const backMs: number[] = [];
  let edgeRestarts = 0;
  let forgotten = 0;
  for (let round = 1; round <= kills; round++) {
    await run.progress(writesBetween + run.random.below(writesBetween));
    const killedAt = performance.now();
    if (redis !== undefined && round % 2 === 0) {
      await redis.lose(losses[(round / 2) % losses.length] ?? 'nothing');
      await run.progress(1);
      backMs.push(Math.round(performance.now() - killedAt));
      continue;
    }
    await world.origin.kill9();
    if (forgetEvery > 0 && round % forgetEvery === 0) forgotten += (log.forget(), 1);
    const restartsEdge = edgeRestartEvery > 0 && round % edgeRestartEvery === 0;
    await Promise.all([world.origin.start(), restartsEdge ? world.edge.restart() : undefined]);
    edgeRestarts += restartsEdge ? 1 : 0;
    await run.progress(1);
    backMs.push(Math.round(performance.now() - killedAt));
    log.read();
  }
  await run.progress(writesBetween);
  return { kills, edgeRestarts, forgotten, backMs };
}

function toStaleFigures(staleMs: readonly number[]): RunFigures['staleMs'] {
  const sorted = staleMs.toSorted((a, b) => a - b);
  return { p99: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) };
}

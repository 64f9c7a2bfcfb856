/**
 * A history under faults: clients that write, read and listen through the real edge while the real origin is
 * killed with -9 and started again. Everything they ask and are answered is kept; nothing is judged here.
 */
import { parsePosition, type Position } from '../../shared/contract/position.ts';
import { eventually } from '../support/eventually.ts';
import { forgeToken } from '../support/forged-token.ts';
import { Random } from '../support/random.ts';
import { startWorld, type World } from '../support/whole-world.ts';
import { stalenessOf } from './check-reads.ts';
import { CommitLog } from './commits.ts';
import type { History, Read, Write } from './history.ts';
import { readAll, readForEver } from './readers.ts';
import { Listener } from './subscribers.ts';
import { writeForEver } from './writers.ts';

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly memoMs?: number;
  readonly feedSilentMs?: number;
  /** Between two kills, at least this many writes are acknowledged. */
  readonly writesBetween?: number;
  /** Every so many kills the edge is restarted too, or the log forgets its past. */
  readonly edgeRestartEvery?: number;
  readonly forgetEvery?: number;
}

export interface RunFigures {
  readonly kills: number;
  readonly edgeRestarts: number;
  readonly forgotten: number;
  readonly writes: Readonly<Record<Write['outcome'], number>>;
  readonly replays: number;
  readonly reads: number;
  readonly unansweredReads: number;
  readonly hits: number;
  readonly events: number;
  readonly resyncs: number;
  readonly reconnects: number;
  /** From each kill to the next acknowledged write. */
  readonly backMs: readonly number[];
  /** How long ago what a read did not show had been acknowledged, over all documents read: p99 and the worst. */
  readonly staleMs: { readonly p99: number; readonly worst: number };
}

/** What all clients of a run share. */
export class Run {
  readonly world: World;
  readonly random: Random;
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  readonly tokens: ReadonlyMap<string | undefined, string>;
  stopped = false;
  /** Of the write that was acknowledged last: who brings it must see all that its writer saw. */
  latestToken: string | undefined;
  hits = 0;
  unansweredReads = 0;

  constructor(world: World, random: Random, tokens: ReadonlyMap<string | undefined, string>) {
    this.world = world;
    this.random = random;
    this.tokens = tokens;
  }

  get acked(): number {
    return this.writes.reduce((count, { outcome }) => count + (outcome === 'acked' ? 1 : 0), 0);
  }
}

export const subjects = ['alice', 'bob', 'carol'] as const;
/** Clocks are read in whole milliseconds on the way. */
const roundingMs = 10;

export async function runHistory(options: RunOptions): Promise<{ history: History; figures: RunFigures }> {
  const { memoMs = 1_000, feedSilentMs = 1_000 } = options;
  const world = await startWorld({ engine: 'sqlite', memoMs, feedSilentMs });
  try {
    const tokens = new Map<string | undefined, string>(await Promise.all(subjects.map(async (subject) => [subject, await forgeToken(world, { payload: { sub: subject, plan: 'bench' } })] as const)));
    const run = new Run(world, new Random(options.seed), tokens);
    const log = new CommitLog(world.dataDir);
    const listeners = [undefined, 'alice'].flatMap((subject) => (['through the edge', 'by the hop'] as const).map((way) => new Listener(run, subject, way)));
    const writing = Array.from({ length: 4 }, (_, index) => writeForEver(run, index));
    const reading = Array.from({ length: 4 }, () => readForEver(run));
    const faults = await injectFaults(run, log, options);
    run.stopped = true;
    await Promise.all([...writing, ...reading]);
    await readAll(run);
    const commits = log.read();
    const last = commits.findLast(({ live }) => live)?.position;
    await Promise.all(listeners.map((listener) => listener.finish(last)));
    const history: History = { staleMsMax: memoMs + feedSilentMs + roundingMs, writes: run.writes, reads: run.reads, subscribers: listeners.map((listener) => listener.record), commits };
    return { history, figures: { ...faults, ...figuresOf(run, listeners), staleMs: toStaleFigures(stalenessOf(history)) } };
  } finally {
    await world.close();
  }
}

async function injectFaults(run: Run, log: CommitLog, { kills, writesBetween = 60, edgeRestartEvery = 0, forgetEvery = 0 }: RunOptions) {
  const { world } = run;
  const backMs: number[] = [];
  let edgeRestarts = 0;
  let forgotten = 0;
  for (let round = 1; round <= kills; round++) {
    await progress(run, writesBetween + run.random.below(writesBetween));
    await world.origin.kill9();
    const killedAt = performance.now();
    if (forgetEvery > 0 && round % forgetEvery === 0) forgotten += (log.forget(), 1);
    const restartsEdge = edgeRestartEvery > 0 && round % edgeRestartEvery === 0;
    await Promise.all([world.origin.start(), restartsEdge ? world.edge.restart() : undefined]);
    edgeRestarts += restartsEdge ? 1 : 0;
    await progress(run, 1);
    backMs.push(Math.round(performance.now() - killedAt));
    log.read();
  }
  await progress(run, writesBetween);
  return { kills, edgeRestarts, forgotten, backMs };
}

/** Waits until so many more writes are acknowledged. */
async function progress(run: Run, more: number): Promise<void> {
  const goal = run.acked + more;
  await eventually(`${more} acknowledged writes`, () => run.acked >= goal, { msMax: 30_000, everyMs: 5 });
}

function figuresOf(run: Run, listeners: readonly Listener[]): Omit<RunFigures, 'kills' | 'edgeRestarts' | 'forgotten' | 'backMs' | 'staleMs'> {
  const outcomes = { acked: 0, refused: 0, unknown: 0 };
  for (const { outcome } of run.writes) outcomes[outcome]++;
  const keyed = run.writes.filter(({ key, outcome }) => key !== undefined && outcome === 'acked');
  const heard = listeners.flatMap(({ record }) => record.heard);
  return {
    writes: outcomes,
    replays: keyed.length - new Set(keyed.map(({ key }) => key)).size,
    reads: run.reads.length, unansweredReads: run.unansweredReads, hits: run.hits,
    events: heard.filter(({ id }) => id !== undefined).length,
    resyncs: heard.filter(({ name }) => name === 'resync').length,
    reconnects: listeners.reduce((count, { connections }) => count + connections - 1, 0),
  };
}

function toStaleFigures(staleMs: readonly number[]): RunFigures['staleMs'] {
  const sorted = staleMs.toSorted((a, b) => a - b);
  return { p99: Math.round(sorted[Math.floor(sorted.length * 0.99)] ?? 0), worst: Math.round(sorted.at(-1) ?? 0) };
}

/** The position that a `Tombolo-Position` speaks of: the token without its MAC. */
export function mustPosition(token: string): Position {
  const position = parsePosition(token.slice(0, token.lastIndexOf('.')));
  if (position === undefined) throw new Error(`not a position: ${token}`);
  return position;
}

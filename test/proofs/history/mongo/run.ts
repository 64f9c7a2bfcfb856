/**
 * A history on MongoDB, in this process and in about a second: clients of two real origins and a program beside
 * them write, read and listen, while the replica set under them meets the faults of a seed. Judged elsewhere.
 *
 * How old may an answer be? A majority read shows what the member that it asks knows to be committed. While there
 * is one primary and it has committed something in its term, that is everything that was ever acknowledged, by
 * whomever. A deposed primary that does not know it yet, or a new one before its first commit, knows what was
 * committed before the trouble began. So: in calm nothing is stale, and in a disturbance nothing is older than its
 * beginning. An origin asks for a state at or after all that it acknowledged itself, so it is never behind itself.
 */
import type { History } from '../history.ts';
import { readAll, readForEver } from '../readers.ts';
import { type ClientFigures, figuresOf } from '../run.ts';
import { Listener } from '../subscribers.ts';
import { writeForEver, writeLast } from '../writers.ts';
import { besides, calm, disturbances } from './disturbances.ts';
import { writeFromOutside } from './foreign-writers.ts';
import { onStage, type Stage } from './stage.ts';

export interface MongoFigures extends ClientFigures {
  /** The names of the disturbances. */
  readonly rounds: readonly string[];
  readonly commandFaults: number;
  /** Entries that members took back, because no majority had them. */
  readonly rolledBack: number;
}

export interface MongoRun {
  readonly history: History;
  readonly figures: MongoFigures;
  /** The server's record: every command and its fate. */
  readonly commands: string;
}

const faultRates = [0, 0.01, 0.03] as const;
const roundsMax = 3;

export function runMongoHistory(seed: number): Promise<MongoRun> {
  return onStage(seed, faultRates[seed % faultRates.length] ?? 0, play);
}

async function play(stage: Stage): Promise<MongoRun> {
  const { server, faults, origins, commits, run } = stage;
  const listeners = (
    [
      [undefined, false],
      [undefined, true],
      ['alice', false],
    ] as const
  ).map(([subject, isForgetful]) => new Listener(run, { subject, door: origins, isForgetful, wordsMax: 40 }));
  const clients = [
    ...[0, 1, 2, 3].map((index) => writeForEver(run, index)),
    writeFromOutside(run, stage.uri),
    ...[0, 1, 2].map(() => readForEver(run)),
  ];
  faults.isOn = true;
  const { rounds, times } = await disturb(stage);
  await run.progress(10);
  faults.isOn = false;
  run.stopped = true;
  await Promise.all(clients);
  await writeLast(run);
  await readAll(run);
  const last = commits.read().at(-1)?.position;
  await Promise.all(listeners.map((listener) => listener.finish(last)));
  const rolledBack = server.set.rolledBack.reduce((sum, { entries }) => sum + entries.length, 0);
  return {
    history: {
      staleMsMax: 0,
      disturbances: times,
      writes: run.writes,
      reads: run.reads,
      subscribers: listeners.map(({ record }) => record),
      commits: commits.read(),
    },
    figures: { rounds, commandFaults: faults.count, rolledBack, ...figuresOf(run, listeners) },
    commands: server.history.toString(),
  };
}

async function disturb(
  stage: Stage,
): Promise<{ readonly rounds: readonly string[]; readonly times: NonNullable<History['disturbances']> }> {
  const { random, run } = stage;
  const rounds: string[] = [];
  const times: { from: number; to: number }[] = [];
  for (let left = 1 + random.below(roundsMax); left > 0; left--) {
    await run.progress(5 + random.below(10));
    const name = random.pick(disturbanceNames);
    const beside = random.chance(0.3) ? random.pick(besideNames) : undefined;
    const from = performance.now();
    const also = beside === undefined ? undefined : besides[beside](stage);
    await disturbances[name](stage);
    await calm(stage);
    times.push({ from, to: performance.now() });
    await also;
    rounds.push(`${name}${beside === undefined ? '' : ` and ${beside}`}`);
  }
  return { rounds, times };
}

const disturbanceNames = namesOf(disturbances);
const besideNames = namesOf(besides);

/** The keys of a table that is not empty. */
function namesOf<Name extends string>(table: Readonly<Record<Name, unknown>>): readonly [Name, ...Name[]] {
  return Object.keys(table) as [Name, ...Name[]];
}

/** Histories on MongoDB, and many writes under dying members: both say what they did, over all seeds. */
import { check } from '../proofs/history/check.ts';
import { judgeSeeds, type Verdict } from '../proofs/history/mongo/evidence.ts';
import { runMemberKilled } from '../proofs/history/mongo/member-killed.ts';
import type { MongoFigures } from '../proofs/history/mongo/run.ts';
import type { Budget, Outcome } from './parts.ts';

const seedsMin = 1_000;
/** Seeds run at once: most of a run is waiting. */
const seedsAtOnce = 6;
const writes = 10_000;

export async function mongoHistories({ seed, minutes }: Budget): Promise<Outcome> {
  const verdicts = await judgeSeeds(seedsFrom(seed, performance.now() + minutes * 60_000), seedsAtOnce);
  return { figures: summed(verdicts), violations: verdicts.flatMap(({ violations }) => violations) };
}

export async function memberKilled({ seed }: Budget): Promise<Outcome> {
  const { history, figures } = await runMemberKilled({ seed, writes });
  return {
    figures: { ...figures, committed: history.commits.length },
    violations: check(history).map(({ law, detail }) => `${law}: ${detail}`),
  };
}

function* seedsFrom(first: number, until: number): Generator<number> {
  for (let number = 0; number < seedsMin || performance.now() < until; number++) yield first + number;
}

function summed(verdicts: readonly Verdict[]): object {
  const figures = verdicts.flatMap((verdict) => verdict.figures ?? []);
  const sum = (of: (figures: MongoFigures) => number) => figures.reduce((total, each) => total + of(each), 0);
  const rounds: Record<string, number> = {};
  for (const name of figures.flatMap((each) => each.rounds.flatMap((round) => round.split(' and ')))) {
    rounds[name] = (rounds[name] ?? 0) + 1;
  }
  return {
    seeds: verdicts.length, rounds,
    writes: {
      acked: sum(({ writes: of }) => of.acked),
      refused: sum(({ writes: of }) => of.refused),
      unknown: sum(({ writes: of }) => of.unknown),
    },
    replays: sum((of) => of.replays), reads: sum((of) => of.reads), unansweredReads: sum((of) => of.unansweredReads),
    events: sum((of) => of.events), resyncs: sum((of) => of.resyncs), reconnects: sum((of) => of.reconnects),
    commandFaults: sum((of) => of.commandFaults), rolledBack: sum((of) => of.rolledBack),
  };
}

/**
 * Many writes while members are killed and come back: the primary twice, with its last write in its own log alone
 * and when it was about to answer, and a follower in between. Each write is asked for until it is answered.
 */
import { eventually } from '../../../support/eventually.ts';
import { groups } from '../documents.ts';
import type { History } from '../history.ts';
import { type ClientFigures, figuresOf } from '../run.ts';
import { Listener } from '../subscribers.ts';
import { create, writeLast } from '../writers.ts';
import { calm, killedAfter, killedAlone, secondaryKilled } from './disturbances.ts';
import { onStage, type Stage } from './stage.ts';

export interface MemberKilled {
  readonly history: History;
  readonly figures: ClientFigures;
}

const writersAtOnce = 48;
const kills = [killedAlone, secondaryKilled, killedAfter] as const;

export function runMemberKilled({ seed, writes }: { readonly seed: number; readonly writes: number }): Promise<MemberKilled> {
  return onStage(seed, 0, (stage) => play(stage, writes));
}

async function play(stage: Stage, writes: number): Promise<MemberKilled> {
  const { commits, origins, run } = stage;
  const listeners = [undefined, 200].map(
    (wordsMax) => new Listener(run, { subject: undefined, door: origins, ...(wordsMax === undefined ? {} : { wordsMax }) }),
  );
  let number = 0;
  const write = async () => {
    while (number < writes) {
      await create(run, groups[2], { tag: `write ${number++}`, author: 'alice', isDraft: false }, crypto.randomUUID());
    }
  };
  const writing = Promise.all(Array.from({ length: writersAtOnce }, write));
  for (const [index, kill] of kills.entries()) {
    await eventually('its part of the writes', () => run.acked > (writes * (index + 1)) / (kills.length + 1), {
      msMax: 120_000,
      everyMs: 2,
    });
    await kill(stage);
    await calm(stage);
  }
  await writing;
  await writeLast(run);
  const last = commits.read().at(-1)?.position;
  await Promise.all(listeners.map((listener) => listener.finish(last)));
  return {
    history: { staleMsMax: 0, writes: run.writes, reads: [], subscribers: listeners.map(({ record }) => record), commits: commits.read() },
    figures: figuresOf(run, listeners),
  };
}

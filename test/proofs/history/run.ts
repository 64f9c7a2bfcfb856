/** What all clients of a run share: the door they come through, chance, and everything they asked and were answered. */
import { eventually } from '../../support/eventually.ts';
import type { Random } from '../../support/random.ts';
import type { Door } from './door.ts';
import type { Read, Write } from './history.ts';
import type { Listener } from './subscribers.ts';

export const subjects = ['alice', 'bob', 'carol'] as const;

export class Run {
  readonly door: Door;
  readonly random: Random;
  readonly writes: Write[] = [];
  readonly reads: Read[] = [];
  /** Whether clients begin nothing new. */
  stopped = false;
  /** Whether the run has failed, so that nobody waits for an answer any more. */
  abandoned = false;
  acked = 0;
  /** The token of the write that was acknowledged last: a reader that brings it must see all that its writer saw. */
  latestToken: string | undefined;
  hits = 0;
  unansweredReads = 0;

  constructor(door: Door, random: Random) {
    this.door = door;
    this.random = random;
  }

  /** `token`: the position that its answer gave. */
  noteWrite(write: Write, token?: string): void {
    this.writes.push(write);
    if (write.outcome === 'acked') this.acked++;
    if (token !== undefined) this.latestToken = token;
  }

  abandon(): void {
    this.stopped = true;
    this.abandoned = true;
  }

  /** Waits until so many more writes are acknowledged. */
  async progress(more: number): Promise<void> {
    const goal = this.acked + more;
    await eventually(`${more} acknowledged writes`, () => this.acked >= goal, { msMax: 30_000, everyMs: 5 });
  }
}

export interface ClientFigures {
  readonly writes: Readonly<Record<Write['outcome'], number>>;
  readonly replays: number;
  readonly reads: number;
  readonly unansweredReads: number;
  readonly hits: number;
  readonly events: number;
  readonly resyncs: number;
  readonly reconnects: number;
}

export function figuresOf(run: Run, listeners: readonly Listener[]): ClientFigures {
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

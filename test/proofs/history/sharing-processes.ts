/**
 * A history on one SQLite file that processes share, as `npm run origin -- --processes N` runs them: clients write, read and
 * listen by their one port while processes are killed, stand still, are replaced, and the log forgets its past. Judged elsewhere.
 *
 * How old may an answer be? A read is of the file as it is, so nothing that was acknowledged before it was asked may be missing,
 * whichever process acknowledged it.
 */
import { eventually } from '../../support/eventually.ts';
import { ProcessFleet, type ProcessTold } from '../../support/process-fleet.ts';
import { Random } from '../../support/random.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { type Door, sendHop } from './door.ts';
import type { History } from './history.ts';
import { readAll, readForEver } from './readers.ts';
import { type ClientFigures, figuresOf, Run } from './run.ts';
import { SqliteCommits } from './sqlite-commits.ts';
import { Listener } from './subscribers.ts';
import { writeForEver, writeLast } from './writers.ts';

interface SharingOptions {
  readonly seed: number;
  readonly processes: number;
  /** How often each disturbance comes. */
  readonly rounds: number;
  /** The least number of writes acknowledged between two of them. */
  readonly writesBetween: number;
}

export interface SharingRun {
  readonly history: History;
  readonly figures: ClientFigures;
}

interface Stage {
  readonly fleet: ProcessFleet;
  readonly log: SqliteCommits;
  readonly random: Random;
}

/** Longer than the 20 ms between two looks for others' commits, and than a heartbeat of what one process does at a time. */
const stillMs = 1_500;

const disturbances = {
  async killed({ fleet, random }: Stage) {
    const { pid } = await victim(fleet, random);
    const count = (await serving(fleet)).length;
    process.kill(pid, 'SIGKILL');
    const isReplaced = async (): Promise<boolean> => {
      const others = (await serving(fleet)).filter((each) => each.pid !== pid);
      return others.length === count;
    };
    await eventually('a process in its place', isReplaced, { msMax: 30_000 });
  },
  async still({ fleet, random }: Stage) {
    const { pid } = await victim(fleet, random);
    process.kill(pid, 'SIGSTOP');
    await Bun.sleep(stillMs);
    process.kill(pid, 'SIGCONT');
  },
  replaced: ({ fleet }: Stage) => fleet.roll(),
  async forgotten({ log }: Stage) {
    log.forget();
  },
} as const;

export async function runSharing({ seed, processes, rounds, writesBetween }: SharingOptions): Promise<SharingRun> {
  const random = new Random(seed);
  await using fleet = await ProcessFleet.start('sqlite', processes);
  const log = new SqliteCommits(fleet.dataDir);
  const door: Door = {
    name: 'by the hop',
    send: (path, sent, signal) => ({ response: sendHop({ url: fleet.url, keys: testKeys }, path, sent, signal) }),
  };
  const run = new Run(door, random.fork());
  try {
    const listeners = ([[undefined, false], [undefined, true], ['alice', false]] as const)
      .map(([subject, isForgetful]) => new Listener(run, { subject, door, isForgetful, wordsMax: 40 }));
    const clients = [...[0, 1, 2, 3].map((index) => writeForEver(run, index)), ...[0, 1, 2].map(() => readForEver(run))];
    for (let round = 0; round < rounds; round++) {
      for (const disturb of Object.values(disturbances)) {
        await run.progress(writesBetween);
        await disturb({ fleet, log, random });
        log.read();
      }
    }
    await run.progress(writesBetween);
    run.stopped = true;
    await Promise.all(clients);
    await writeLast(run);
    await readAll(run);
    const commits = log.read();
    await Promise.all(listeners.map((listener) => listener.finish(commits.at(-1)?.position)));
    return {
      history: { staleMsMax: 0, writes: run.writes, reads: run.reads, subscribers: listeners.map(({ record }) => record), commits },
      figures: figuresOf(run, listeners),
    };
  } finally {
    run.abandon();
  }
}

async function serving(fleet: ProcessFleet): Promise<readonly ProcessTold[]> {
  return (await fleet.processes()).filter(({ serves }) => serves);
}

async function victim(fleet: ProcessFleet, random: Random): Promise<ProcessTold> {
  const found = random.pick(await serving(fleet));
  if (found === undefined) throw new Error('no process serves');
  return found;
}

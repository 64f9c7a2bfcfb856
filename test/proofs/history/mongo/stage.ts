/** What every run on MongoDB has: a replica set, two origins over it, and the commits in its log. */
import { JumpingClock, type Server, startMongod } from '../../../mongod/mongod.ts';
import { served } from '../../../../shared/resources/all.ts';
import { Random } from '../../../support/random.ts';
import type { CommitSource } from '../commits.ts';
import { Run } from '../run.ts';
import { CommandFaults } from './command-faults.ts';
import { OplogCommits } from './oplog-commits.ts';
import { Origins } from './origins.ts';

/** All that a disturbance may touch. */
export interface Stage {
  readonly server: Server;
  readonly clock: JumpingClock;
  readonly faults: CommandFaults;
  readonly origins: Origins;
  readonly commits: CommitSource;
  readonly run: Run;
  readonly random: Random;
  readonly uri: string;
}

const database = 'shop';
const members = 3;

export async function onStage<T>(seed: number, faultRate: number, play: (stage: Stage) => Promise<T>): Promise<T> {
  const random = new Random(seed);
  const clock = new JumpingClock();
  const faults = new CommandFaults({ seed, rate: faultRate });
  const server = await startMongod({ members, seed, clock, faults });
  // A member that comes back is found by drivers within this time instead of ten seconds.
  const uri = server.uri.replace('/?', `/${database}?heartbeatFrequencyMS=500&minHeartbeatFrequencyMS=20&`);
  const commits = new OplogCommits(server, { database, stored: served.stored });
  const origins = await Origins.open(uri, 2, random.fork());
  const run = new Run(origins, random.fork());
  try {
    const played = await play({ server, clock, faults, origins, commits, run, random, uri });
    if (server.errors.length > 0) throw new AggregateError(server.errors, 'the test server has a bug');
    return played;
  } finally {
    run.abandon();
    await origins.close();
    await server.close();
  }
}

/**
 * What happens to the members, the origins and the clock in a round of a run: drawn from the seed, begun at a
 * command that the seed names, and undone by `calm`, which waits until all members are alike again.
 */
import type { Member } from '../../../mongod/mongod.ts';
import { eventually } from '../../../support/eventually.ts';
import type { Random } from '../../../support/random.ts';
import type { Stage } from './stage.ts';

type Disturbance = (stage: Stage) => Promise<void>;

/** The disturbances of which each round has one. */
export const disturbances = {
  killed, steppedDown, withoutPrimary, deposed, deposedAndBack, unaware, lagging, secondaryKilled, forgotten,
} as const satisfies Readonly<Record<string, Disturbance>>;
/** The disturbances that some rounds have besides. */
export const besides = { reopened, clockSet } satisfies Readonly<Record<string, Disturbance>>;

/** Sessions and their memory of writes live for 30 minutes, so a clock that is wrong by more may forget one. */
const clockOffMsMax = 20 * 60_000;

/** The primary dies before a command, with what it did in its own log alone, or in everybody's and no answer given. */
async function killed(stage: Stage): Promise<void> {
  await stage.random.pick([killedBefore, killedAlone, killedAfter, killedAfter])(stage);
}

async function killedBefore(stage: Stage): Promise<void> {
  await killedAt(stage, 'before');
}

export async function killedAfter(stage: Stage): Promise<void> {
  await killedAt(stage, 'after');
}

async function killedAt(stage: Stage, when: 'before' | 'after'): Promise<void> {
  const { index } = stage.server.memberOf(undefined);
  await atCommand(stage, when, async () => void (await stage.server.kill(index)));
  await succeeded(stage);
}

/** Kills the primary when the next write has reached its own log, and nobody else's. */
export async function killedAlone(stage: Stage): Promise<void> {
  const { server } = stage;
  const { index } = server.memberOf(undefined);
  const others = othersThan(stage, index);
  for (const other of others) server.pauseReplication(other.index);
  await logGrows(server.memberOf(index));
  await server.kill(index);
  for (const other of others) server.resumeReplication(other.index);
  await succeeded(stage);
}

/** Kills the primary: after a while without one another serves, and the dead one stays away for some writes. */
async function succeeded(stage: Stage): Promise<void> {
  await pause(stage.random, 60);
  elect(stage);
  await stage.run.progress(3 + stage.random.below(10));
}

/** Has the primary step down in the middle of a write, with a successor at once. */
async function steppedDown(stage: Stage): Promise<void> {
  const { server, random, run } = stage;
  await atCommand(stage, random.pick(['before', 'after']), () => server.stepDown());
  await run.progress(3 + random.below(10));
}

async function withoutPrimary(stage: Stage): Promise<void> {
  const { server, random } = stage;
  await atCommand(stage, 'before', () => server.stepDown({ elect: false }));
  await pause(random, 400);
}

/** A primary that hears nobody, and goes on believing; the others choose another. All clients reach both. */
async function deposed(stage: Stage): Promise<void> {
  const { random, run } = stage;
  await isolated(stage);
  await pause(random, 60);
  elect(stage);
  await run.progress(3 + random.below(15));
}

/** The other dies with a tail of its own before anybody follows it, and the first, with its own tail, is chosen again. */
async function deposedAndBack(stage: Stage): Promise<void> {
  const { server, random } = stage;
  const first = await isolated(stage);
  const [second = 0, third = 0] = othersThan(stage, first).map(({ index }) => index);
  server.pauseReplication(third);
  server.elect(second);
  await pause(random, 150);
  await server.kill(second);
  server.heal();
  // The first hears of the term that it missed, and is no primary any more.
  server.set.pump();
  elect(stage);
  await pause(random, 60);
}

/** A new primary that has every write, has not heard which of them a majority has, and cannot commit yet to find out. */
async function unaware(stage: Stage): Promise<void> {
  const { server, random, run } = stage;
  const first = server.memberOf(undefined).index;
  server.pauseCommitNews();
  await run.progress(3 + random.below(10));
  await server.kill(first);
  elect(stage);
  for (const { index, isPrimary } of othersThan(stage, first)) if (!isPrimary) server.pauseReplication(index);
  await pause(random, 200);
}

/** Followers behind, one or both: with both, no write is acknowledged. */
async function lagging({ server, random }: Stage): Promise<void> {
  const followers = server.members.filter(({ isPrimary }) => !isPrimary).slice(random.below(2));
  for (const { index } of followers) server.delay(index, 50 + random.below(150));
  await pause(random, 300);
}

export async function secondaryKilled({ server, random, run }: Stage): Promise<void> {
  const follower = server.members.find(({ isPrimary }) => !isPrimary);
  if (follower !== undefined) await server.kill(follower.index);
  await run.progress(3 + random.below(10));
}

/** No stream is served while writes go on; then the log no longer reaches back to where the streams were. */
async function forgotten({ faults, commits, random, run }: Stage): Promise<void> {
  faults.blocked = ['getMore', 'aggregate'];
  await run.progress(5 + random.below(15));
  commits.forget();
  faults.blocked = [];
}

async function reopened({ origins }: Stage): Promise<void> {
  await origins.reopen();
}

/** Sets the clock forward or back, until `calm` sets it right. */
async function clockSet({ clock, random }: Stage): Promise<void> {
  clock.jump((random.chance(0.5) ? 1 : -1) * random.below(clockOffMsMax));
}

/** Undoes everything, and waits until all members have what the primary has, as a majority's. */
export async function calm(stage: Stage): Promise<void> {
  const { server, faults, clock } = stage;
  faults.blocked = [];
  clock.jump(Date.now() - clock.now());
  server.heal();
  for (const { index, role } of server.members) if (role === 'down') server.restart(index);
  if (server.set.primary === null) elect(stage);
  const { lastAt } = server.memberOf(undefined);
  await eventually('members that are alike', () => {
    server.set.schedule();
    return server.members.filter(({ isPrimary }) => isPrimary).length === 1 && server.members.every(({ commitAt }) => commitAt >= lastAt);
  }, { everyMs: 1 });
}

/** Puts the primary alone on its side; gives its index. */
async function isolated(stage: Stage): Promise<number> {
  const { server } = stage;
  const { index } = server.memberOf(undefined);
  await atCommand(stage, 'before', () => server.partition([index], othersThan(stage, index).map((other) => other.index)));
  return index;
}

function logGrows(member: Member): Promise<void> {
  const { lastAt } = member;
  return new Promise((resolve) => {
    const leave = member.oplog.onChange(() => {
      if (member.lastAt <= lastAt) return;
      leave();
      resolve();
    });
  });
}

function othersThan({ server }: Stage, index: number): readonly Member[] {
  return server.members.filter((member) => member.index !== index);
}

function elect({ server }: Stage): void {
  const candidate = server.set.electable(server.set.primary);
  if (candidate === null) throw new Error('no member can be elected');
  server.elect(candidate.index);
}

/** Commands to act at, mostly those that commit a write. */
const commands = ['commitTransaction', 'commitTransaction', 'commitTransaction', 'insert', 'update', 'find', 'getMore'] as const;

/** Acts at one of the next commands of a kind, whichever connection it comes on. */
function atCommand({ server, random }: Stage, when: 'before' | 'after', act: () => void | Promise<void>): Promise<void> {
  return server.at({ command: random.pick(commands), when, skip: random.below(8) }, act);
}

async function pause(random: Random, msMax: number): Promise<void> {
  await Bun.sleep(random.below(msMax));
}

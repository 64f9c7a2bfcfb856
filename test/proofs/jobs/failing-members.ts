/** A primary that dies or steps down at a write, and comes back, again and again until all is to be calm. */
import { pause } from '../../../origin/pause.ts';
import type { Server } from '../../mongod/mongod.ts';
import { eventually } from '../../support/eventually.ts';
import type { Random } from '../../support/random.ts';

/** Gives how often there was another primary, once all members are well and alike. */
export async function failMembers(server: Server, random: Random, calm: AbortSignal): Promise<number> {
  let failovers = 0;
  while (!calm.aborted) {
    // One that was too late for its commit may have failed meanwhile.
    await mended(server);
    const { index } = server.memberOf(undefined);
    const isKilled = random.chance(0.5);
    const fail = async () => {
      if (calm.aborted || !server.memberOf(index).isPrimary) return;
      failovers++;
      if (isKilled) await server.kill(index);
      else server.stepDown();
    };
    const when = random.pick(['before', 'after'] as const);
    const failed = server.at({ command: 'commitTransaction', when, skip: 3 + random.below(20) }, fail);
    await Promise.race([failed, pause(10_000, calm)]);
    await pause(random.below(100), calm);
  }
  await mended(server);
  const { lastAt } = server.memberOf(undefined);
  await eventually('members are alike', () => {
    server.set.schedule();
    return server.members.every(({ commitAt }) => commitAt >= lastAt);
  });
  return failovers;
}

async function mended(server: Server): Promise<void> {
  for (const { index, role } of server.members) if (role === 'down') server.restart(index);
  await eventually('there is a primary', () => {
    const next = server.set.primary === null ? server.set.electable(null) : null;
    if (next !== null) server.elect(next.index);
    return server.set.primary !== null;
  });
}

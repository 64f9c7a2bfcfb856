/** Requests that wait for what another one fetches, when that one's client leaves or nothing comes of it. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { edgeLimits } from '../../edge/limits.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { eventually } from '../support/eventually.ts';
import { film, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ workerModule: 'test/workerd/workers/counting.worker.ts', memoMs: 10_000, feedSilentMs: 60_000 });
});
afterAll(() => world.close());

const disposals = disposedAfterEach();

let made = 0;
let path = '';
beforeEach(async () => {
  const id = `film-${made++}`;
  path = `/v2/films/${id}`;
  world.documents.set(id, film(id));
  // Once the isolate knows the generations, a miss is filled by one request for all.
  await world.get('/v2/films/absent');
});

const followersCount = 40;
const leaversCount = 200;

describe('who waits for another', () => {
  test('is answered by what that one fetches, though its client and those of many beside him have left', async () => {
    const origin = holdOrigin();
    const leader = await begin();
    const leavers = Array.from({ length: leaversCount }, ask);
    const followers = follow();
    await entered(1 + leaversCount + followersCount);
    for (const leave of [leader, ...leavers]) leave();
    origin.release();
    await mustAnswer(followers);
    expect(world.asked(path)).toBe(1);
    expect(world.log.filter((line) => line.includes('hung'))).toEqual([]);
  });

  test('is told that he did, unless he came when it was there', async () => {
    const origin = holdOrigin();
    const crowd = follow();
    await entered(followersCount);
    origin.release();
    const statuses = (await Promise.all(crowd)).map(({ headers }) => headers.get('cache-status'));
    const by = (status: string) => statuses.filter((each) => each === status).length;
    expect(by('tombolo; fwd=uri-miss; fwd-status=200; stored')).toBe(1);
    expect(by('tombolo; hit; collapsed')).toBeGreaterThan(0);
    expect(by('tombolo; hit; collapsed') + by('tombolo; hit')).toBe(followersCount - 1);
    expect(world.asked(path)).toBe(1);
  });

  test('for what a change overtook asks once more with all the others, not each for himself', async () => {
    const changing = await World.start({ memoMs: 500 });
    disposals.push(() => changing.close());
    changing.write('overtaken', film('Overtaken'));
    changing.origin.script = async (seen) => (await changing.feed.tell(), await changing.pastMemo(), changing.answer(seen));
    const crowd = await Promise.all(Array.from({ length: 20 }, () => changing.get('/v2/films/overtaken')));
    expect(crowd.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(changing.asked('/v2/films/overtaken')).toBeLessThanOrEqual(3);
  });

  test('goes himself when nothing comes of it, in the time that is stated', async () => {
    let first = true;
    world.origin.script = (seen) => {
      const isLost = first && seen.path === path;
      first &&= !isLost;
      return isLost ? new Promise(() => undefined) : world.answer(seen);
    };
    const leave = await begin();
    const followers = follow();
    await entered(1 + followersCount);
    leave();
    const started = performance.now();
    await mustAnswer(followers);
    expect(performance.now() - started).toBeGreaterThan(edgeLimits.followMsMax / 4);
    expect(world.log.filter((line) => line.includes('deadline_exceeded'))).toEqual([]);
  });
});

/** Answers for the film wait until they are released. */
function holdOrigin(): { release(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  world.origin.script = async (seen) => {
    if (seen.path === path) await promise;
    return world.answer(seen);
  };
  return { release: resolve };
}

/** A client of its own connection; returns how it leaves. */
function ask(): () => void {
  const socket = connect(Number(new URL(world.edge.url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(`GET ${path} HTTP/1.1\r\nHost: edge\r\n\r\n`);
  return () => socket.destroy();
}

/** Asks as the first, whose request the origin has. */
async function begin(): Promise<() => void> {
  const leave = ask();
  await eventually('the origin to be asked', () => world.asked(path) === 1);
  return leave;
}

function follow(): readonly Promise<Response>[] {
  return Array.from({ length: followersCount }, () => world.get(path));
}

async function entered(count: number): Promise<void> {
  await eventually(
    `${count} requests to be in`,
    async () => Number(await (await world.get(`/.test/entered?path=${path}`)).text()) === count,
  );
}

async function mustAnswer(followers: readonly Promise<Response>[]): Promise<void> {
  for (const follower of followers) {
    const answer = await follower;
    expect([answer.status, await answer.json()]).toMatchObject([200, { title: path.slice('/v2/films/'.length) }]);
  }
}

/**
 * Elections, deaths and cut connections around a write: what was acknowledged is there, what was refused is not, and
 * nothing is there twice.
 */
import { expect, spyOn, test } from 'bun:test';
import { Socket } from 'node:net';
import type { Store } from '../../../origin/store/store.ts';
import type { Moment, Server } from '../../mongod/mongod.ts';
import { Random } from '../../support/random.ts';
import { openFaultyPlace, replacePrimary } from './faulty-place.ts';
import { changesTo } from './read-changes.ts';
import { inTime, reasonOf } from './harness.ts';
import { open as things } from './things.ts';

const ids = ['a', 'b', 'c'] as const;
/** A write as a request brings it: with a nonce, which is the transaction's first insert. */
const increment = (store: Store, id: string) => store.write(
  [{ resource: things, id, decide: (before) => ({ kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 } }) }],
  { ...inTime(30_000), nonce: { value: crypto.randomUUID(), expiresAt: Date.now() + 60_000 } },
);

/** Increments of a few documents, several at once; gives how many of each were acknowledged. */
async function incrementAll(store: Store, seed: number, rounds: number): Promise<Readonly<Record<string, number>>> {
  const random = new Random(seed);
  const done: Record<string, number> = Object.fromEntries(ids.map((id) => [id, 0]));
  for (let round = 0; round < rounds; round++) {
    await Promise.all(Array.from({ length: 1 + random.below(6) }, async () => {
      const id = random.pick(ids);
      const reason = await reasonOf(increment(store, id));
      // That there is no primary is an answer; that nobody knows whether it was written is none, with all this time.
      if (reason === undefined) done[id] = (done[id] ?? 0) + 1;
      else expect([round, id, reason]).toEqual([round, id, 'store_unavailable']);
    }));
  }
  return done;
}

/** Holds each document to what was acknowledged, and the feed to every step of it, in order and once. */
async function mustHold(
  store: Store,
  from: Awaited<ReturnType<Store['head']>>,
  acknowledged: Readonly<Record<string, number>>,
): Promise<void> {
  const changes = await changesTo(store, from, await store.head());
  for (const id of ids) {
    const sizes = changes.flatMap((change) => (change.kind === 'document' && change.id === id ? [change.after?.['size']] : []));
    expect([id, sizes]).toEqual([id, Array.from({ length: acknowledged[id] ?? 0 }, (_, n) => n + 1)]);
    expect(await sizeOf(store, id)).toBe(acknowledged[id] ?? 0);
  }
}

/** Reads as a client does: a read may meet a fault at both of the driver's tries, and is then told to come again. */
async function sizeOf(store: Store, id: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    const read = store.get(things, id, inTime(15_000));
    const reason = await reasonOf(read);
    if (reason === undefined || tries === 5) return Number((await read).value?.value['size'] ?? 0);
    expect([id, reason]).toEqual([id, 'store_unavailable']);
  }
}

const moments: readonly Omit<Moment, 'skip'>[] = ['find', 'insert', 'update', 'commitTransaction'].flatMap((command) =>
  (['before', 'after'] as const).map((when) => ({ command, when })),
);

const fates = moments.flatMap(({ command, when }) => [
  ...[1, 2, 3].map((seed) => ['killed', command, when, seed, replacePrimary] as const),
  ...[1, 2].map((seed) => ['that steps down', command, when, seed, (server: Server) => server.stepDown()] as const),
]);

test.each(fates)('a primary %s at %s, %s it is carried out (%d)', async (_fate, command, when, seed, act) => {
  await using place = await openFaultyPlace({ resources: [things], mongod: { members: 3, seed } });
  const { server, store } = place;
  const from = await store.head();
  const over = server.at({ command, when, skip: seed }, () => act(server));
  const acknowledged = await incrementAll(store, seed, 12);
  await over;
  await mustHold(store, from, acknowledged);
}, 60_000);

test.each([1, 2, 3, 4])('a network that cuts the answers of half of all commits (%d)', async (seed) => {
  await using place = await openFaultyPlace({
    resources: [things],
    mongod: { members: 3, seed, faults: { rate: 0.5, kinds: ['closeAfter'], commands: ['commitTransaction'] } },
  });
  const from = await place.store.head();
  const acknowledged = await incrementAll(place.store, seed, 12);
  expect(place.server.history.events.filter(({ kind, name }) => kind === 'fault' && name === 'commitTransaction').length).toBeGreaterThan(
    0,
  );
  await mustHold(place.store, from, acknowledged);
}, 60_000);

test.each([1, 2, 3, 4])('commands that fail or are late, connections that break before and after (%d)', async (seed) => {
  await using place = await openFaultyPlace({
    resources: [things],
    mongod: { members: 3, seed, faults: { rate: 0.05, commands: ['find', 'insert', 'update', 'commitTransaction', 'getMore'] } },
  });
  const from = await place.store.head();
  const acknowledged = await incrementAll(place.store, seed, 25);
  expect(new Set(place.server.history.events.flatMap(({ kind, detail }) => (kind === 'fault' ? [detail] : []))).size).toBeGreaterThan(1);
  await mustHold(place.store, from, acknowledged);
}, 60_000);

test('of two origins that have read the same document, the second to write decides again', async () => {
  await using place = await openFaultyPlace({ resources: [things] });
  const twin = await place.open();
  const twinRead = place.server.at({ command: 'find', when: 'after', skip: 1 }, () => undefined);
  // The first holds its commit until the second has read, too.
  const held = place.server.at({ command: 'commitTransaction', when: 'before' }, () => twinRead);
  const from = await place.store.head();
  await Promise.all([increment(place.store, 'a'), increment(twin, 'a'), held]);
  expect(place.server.history.events.filter(({ outcome }) => outcome?.startsWith('112 ') === true)).not.toEqual([]);
  await mustHold(place.store, from, { a: 2 });
}, 60_000);

test.each([1, 2, 3])('two origins that race on the same documents while a primary dies (%d)', async (seed) => {
  await using place = await openFaultyPlace({ resources: [things], mongod: { members: 3, seed } });
  const twin = await place.open();
  const from = await place.store.head();
  const killed = place.server.at({ command: 'commitTransaction', when: seed % 2 === 0 ? 'before' : 'after', skip: 5 + seed }, () =>
    replacePrimary(place.server),
  );
  const [ours, theirs] = await Promise.all([incrementAll(place.store, seed, 12), incrementAll(twin, seed + 100, 12)]);
  await killed;
  await mustHold(place.store, from, Object.fromEntries(ids.map((id) => [id, (ours[id] ?? 0) + (theirs[id] ?? 0)])));
}, 60_000);

test('a question that meets its socket in the moment of its end is asked on another', async () => {
  await using place = await openFaultyPlace({ resources: [things] });
  await increment(place.store, 'a');
  const { write } = Socket.prototype;
  let ended = 0;
  const meeting = spyOn(Socket.prototype, 'write').mockImplementation(function (this: Socket, ...given: Parameters<Socket['write']>) {
    if (Buffer.from(given[0]).includes('\x02find\0') && ended++ === 0) this.destroy();
    return write.apply(this, given);
  } as Socket['write']);
  try {
    expect((await place.store.get(things, 'a', inTime(20_000))).value?.value['size']).toBe(1);
    expect(ended).toBe(2);
  } finally {
    meeting.mockRestore();
  }
}, 60_000);

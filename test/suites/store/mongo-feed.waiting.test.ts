/** The feed on a deployment that fails: nothing is missed, nothing comes twice, and what is lost is told before anything newer. */
import { expect, test } from 'bun:test';
import type { Db } from 'mongodb';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Written } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';
import { type FaultyPlace, openFaultyPlace, replacePrimary } from './faulty-place.ts';
import { changesTo, read } from './read-changes.ts';
import { inTime, put } from './harness.ts';
import { open as things } from './things.ts';

/** Where an election takes longer than a write waits for one, the write says that it has not happened, and is made again. */
async function write({ store }: Pick<FaultyPlace, 'store'>, size: number): Promise<Written> {
  for (;;) {
    try {
      return await store.write([put(things, 'n', { size })], inTime(30_000));
    } catch (thrown) {
      if (!(thrown instanceof Fault && thrown.reason === 'store_unavailable')) throw thrown;
    }
    await Bun.sleep(20);
  }
}

/** Sizes 1 to 60, one after the other. */
async function othersWrite({ foreign }: FaultyPlace): Promise<void> {
  const collection = foreign.collection<{ _id: string }>(things.name);
  for (let size = 1; size <= 60; size++) await collection.updateOne({ _id: 'n' }, { $set: { size } }, { writeConcern: { w: 'majority' } });
}

const disturbances: Readonly<Record<string, (place: FaultyPlace) => void | Promise<void>>> = {
  'steps down': ({ server }) => server.stepDown(),
  'is killed': ({ server }) => replacePrimary(server),
};

test.each(Object.keys(disturbances).flatMap((what) => [1, 2, 3].map((seed) => [what, seed] as const)))(
  'a primary that %s while a reader waits for changes (%d)',
  async (what, seed) => {
    const random = new Random(seed);
    await using place = await openFaultyPlace({ resources: [things], mongod: { members: 3, seed } });
    const reader = read(place.store, await place.store.head());
    const sizes: unknown[] = [];
    const writes = 30;
    let isOver = false;
    const reading = (async () => {
      // It goes on asking until each disturbance has had its question.
      while (sizes.length < writes || !isOver) {
        const batch = await reader.next();
        if (batch === undefined || 'lost' in batch) throw new Error('the feed lost its place');
        sizes.push(...batch.changes.map((change) => (change.kind === 'document' ? change.after?.['size'] : change.kind)));
      }
    })();
    // Each disturbance comes at a question of the stream: before it is looked at, or with its answer on the way.
    for (let round = 0; round < 3; round++) {
      const disturbed = place.server.at({ command: 'getMore', when: random.pick(['before', 'after']), skip: random.below(3) }, () =>
        disturbances[what]?.(place),
      );
      for (let n = 0; n < writes / 3; n++) await write(place, round * (writes / 3) + n + 1);
      await disturbed;
    }
    isOver = true;
    await reading;
    await reader.stop();
    expect(sizes).toEqual(Array.from({ length: writes }, (_, n) => n + 1));
  },
  60_000,
);

test.each([1, 2, 3, 4])('questions that fail or are cut off lose and double nothing (%d)', async (seed) => {
  await using place = await openFaultyPlace({
    resources: [things],
    mongod: { members: 3, seed, faults: { rate: 0.2, commands: ['getMore', 'aggregate'], delayMs: 5 } },
  });
  const from = await place.store.head();
  const reader = read(place.store, from);
  const sizes: unknown[] = [];
  for (let n = 1; n <= 20; n++) {
    await write(place, n);
    const batch = await reader.next();
    if (batch === undefined || 'lost' in batch) throw new Error('the feed lost its place');
    sizes.push(...batch.changes.map((change) => change.kind === 'document' && change.after?.['size']));
  }
  const { position } = await write(place, 21);
  for (let order = ''; order < position.order;) {
    const batch = await reader.next();
    if (batch === undefined || 'lost' in batch) throw new Error('the feed lost its place');
    sizes.push(...batch.changes.map((change) => change.kind === 'document' && change.after?.['size']));
    order = batch.through.order;
  }
  await reader.stop();
  expect(sizes).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
  expect(place.server.history.events.filter(({ kind }) => kind === 'fault').length).toBeGreaterThan(0);
}, 60_000);

const logs = resource({
  name: 'logs',
  id: { kind: 'string', format: z.string() },
  schema: z.object({ text: z.string() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});
const logsOf = (foreign: Db) => foreign.collection<{ _id: string; text: string }>('logs');

test('an event of more than 16 MB comes whole, with both images, between its neighbours', async () => {
  await using place = await openFaultyPlace({ resources: [logs] });
  const from = await place.store.head();
  const text = (letter: string) => letter.repeat(10_000_000);
  await logsOf(place.foreign).insertOne({ _id: 'large', text: text('a') });
  await logsOf(place.foreign).updateOne({ _id: 'large' }, { $set: { text: text('b') } });
  await logsOf(place.foreign).deleteOne({ _id: 'large' });
  const { position } = await place.store.write([put(logs, 'small', { text: 'c' })], inTime());
  const changes = await changesTo(place.store, from, position);
  const letters = (image: unknown) =>
    image === null
      ? null
      : typeof image === 'object' && image !== undefined && 'text' in image
        ? `${String(image.text).length} ${String(image.text)[0]}`
        : image;
  expect(changes.map((change) => change.kind === 'document' && [change.id, letters(change.before), letters(change.after)])).toEqual([
    ['large', null, '10000000 a'], ['large', '10000000 a', '10000000 b'], ['large', '10000000 b', null], ['small', null, '1 c'],
  ]);
  // Each change has a position of its own to resume from.
  for (const [index, change] of changes.entries()) {
    expect((await changesTo(place.store, change.position, position)).length).toBe(changes.length - index - 1);
  }
}, 60_000);

test('a log that rolled over while the origin was away is told as lost, before anything newer', async () => {
  await using place = await openFaultyPlace({ resources: [things], mongod: { oplogEntriesMax: 30 } });
  const from = (await write(place, 0)).position;
  await place.store.close();
  await othersWrite(place);
  const back = { store: await place.open() };
  const reader = read(back.store, from);
  expect(await reader.next()).toEqual({ lost: true, head: await back.store.head() });
  expect(await reader.next()).toBeUndefined();
  const head = await back.store.head();
  const { position } = await write(back, 61);
  expect(
    (await changesTo(back.store, head, position)).map(
      (change) => change.kind === 'document' && [change.before?.['size'], change.after?.['size']],
    ),
  ).toEqual([[60, 61]]);
});

test('a log that still has the origin\'s place gives it all that others wrote meanwhile', async () => {
  await using place = await openFaultyPlace({ resources: [things] });
  const from = (await write(place, 0)).position;
  await place.store.close();
  await othersWrite(place);
  const store = await place.open();
  const { position } = await write({ store }, 61);
  expect((await changesTo(store, from, position)).map((change) => change.kind === 'document' && change.after?.['size'])).toEqual(
    Array.from({ length: 61 }, (_, n) => n + 1),
  );
});

test('collections that others dropped are put back, also over a step-down', async () => {
  const fatal: Error[] = [];
  await using place = await openFaultyPlace({ resources: [things], mongod: { members: 3 }, onFatal: (error) => fatal.push(error) });
  const { server, store, foreign } = place;
  const reader = read(store, await store.head());
  await reader.next();
  // The reader hears of the drop and begins to mend; the primary gives up before the collection is made, which no driver tries again.
  const interrupted = server.at({ command: 'create', when: 'before' }, () => server.stepDown());
  const mended = server.at({ command: 'create', when: 'after', skip: 1 }, () => undefined);
  await foreign.collection(things.name).drop();
  for (let batch = await reader.next(); batch !== undefined && !('lost' in batch) && batch.changes.length === 0;) {
    batch = await reader.next();
  }
  await interrupted;
  await mended;
  expect((await foreign.listCollections<{ name: string; options?: object }>({ name: things.name }).next())?.options).toMatchObject({
    validationLevel: 'moderate',
    changeStreamPreAndPostImages: { enabled: true },
  });
  await reader.stop();
  expect(fatal).toEqual([]);
}, 60_000);

/** A consumer's effects and its cursor are committed together, whatever dies when: each change has its effect once. */
import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { type Consumer, startConsumer } from '../../../origin/feed/consumer.ts';
import { Feed } from '../../../origin/feed/feed.ts';
import type { Store } from '../../../origin/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import { inTime, type OpenPlace, put, textOf } from './harness.ts';
import { openMongoPlace } from './mongo-place.ts';
import { openSqlitePlace } from './sqlite-place.ts';
import { effects, open as things } from './things.ts';

const resources = [things, effects];
const counting: Consumer = {
  name: 'counting',
  handle: (changes) => changes.flatMap((change) => (change.kind !== 'document' || change.resource !== things.name ? [] : [{
    resource: effects,
    id: change.id,
    decide: (before) => ({ kind: 'put' as const, document: { size: Number(before?.value['size'] ?? 0) + 1 } }),
  }])),
  lost: () => [],
};

describe('killed at any moment, a consumer gives each change its effect once', () => {
  test('on SQLite', async () => {
    const place = await openSqlitePlace({ resources });
    await beginAt(place.store);
    await place.store.close();
    const acknowledged: string[] = [];
    for (let round = 0; round < 6; round++) {
      acknowledged.push(
        ...(await idsUntil(place.dataDir, `r${round}`, (child, lines) => lines >= 15 + round * 23 && child.kill('SIGKILL'))),
      );
    }
    await mustHaveEffects(await place.reopen(), acknowledged);
    await place.remove();
  }, 60_000);

  const moments = (['insert', 'update', 'commitTransaction'] as const).flatMap((command) =>
    (['before', 'after'] as const).map((when) => ({ command, when })),
  );
  test.each(moments)('on MongoDB, at $command, $when it is carried out', async ({ command, when }) => {
    const place = await openMongoPlace({ resources, mongod: {} });
    // A transaction that its client left open holds what it has written for so long; 60 s unless said.
    place.server.transactionLifetimeMsMax = 1_000;
    await beginAt(place.store);
    const acknowledged: string[] = [];
    for (let round = 0; round < 2; round++) {
      acknowledged.push(...(await idsUntil(place.uri, `r${round}`, (child, lines) => {
        if (lines === 5) void place.server.at({ command, when, skip: 3 + round * 4 }, async () => child.kill('SIGKILL'));
      })));
    }
    await mustHaveEffects(await place.reopen(), acknowledged);
    await place.remove();
  }, 60_000);
});

const engines: readonly (readonly [string, OpenPlace])[] = [['SQLite', openSqlitePlace], ['MongoDB', openMongoPlace]];

describe.each(engines)('a consumer on %s', (_engine, open) => {
  test('that several processes run has its effects once', async () => {
    const place = await open({ resources });
    await beginAt(place.store);
    const feeds = await Promise.all(Array.from({ length: 3 }, () => Feed.open({ store: place.store, onTrouble: () => undefined })));
    const running = feeds.map((feed) => startConsumer(counting, { store: place.store, feed, onTrouble: () => undefined }));
    const ids = Array.from({ length: 40 }, (_, index) => `p${index}`);
    for (const id of ids) await place.store.write([put(things, id, {})], inTime());
    await eventually('the last one has its effect', () => textOf(place.store, effects, 'p39'));
    await Promise.all([...running.map(({ stop }) => stop(Date.now() + 1_000)), ...feeds.map((feed) => feed.close())]);
    expect(await Promise.all(ids.map((id) => textOf(place.store, effects, id)))).toEqual(ids.map((id) => `{"id":"${id}","size":1}`));
    await place.remove();
  });

  test('passes over nothing that it fails at, and says that it does not get on', async () => {
    const place = await open({ resources });
    await beginAt(place.store);
    const feed = await Feed.open({ store: place.store, onTrouble: () => undefined });
    let isBroken = true;
    const broken: Consumer = {
      ...counting,
      handle: (changes, signal) => {
        if (isBroken) throw new Error('a bug');
        return counting.handle(changes, signal);
      },
    };
    const running = startConsumer(broken, { store: place.store, feed, onTrouble: () => undefined });
    await place.store.write([put(things, 'x', {})], inTime());
    const what = 'does not get on at open-things/x: a bug';
    await eventually('the consumer says that it fails', async () => (await running.state()).detail === what);
    isBroken = false;
    await eventually('it has its effect', () => textOf(place.store, effects, 'x'));
    expect(await textOf(place.store, effects, 'x')).toBe('{"id":"x","size":1}');
    await eventually('it gets on', async () => (await running.state()).ready);
    await running.stop(Date.now() + 1_000);
    await feed.close();
    await place.remove();
  });
});

test('changes that nothing follows from move the cursor of a consumer that may handle them again only now and then', async () => {
  const place = await openSqlitePlace({ resources });
  const feed = await Feed.open({ store: place.store, onTrouble: () => undefined });
  const handled = { once: 0, again: 0 };
  const idle = (name: keyof typeof handled): Consumer => ({
    name, lost: () => [], handle: (changes) => (handled[name] += changes.length, []), ...(name === 'again' ? { isRepeatable: true } : {}),
  });
  const options = { store: place.store, feed, onTrouble: () => undefined };
  const running = [idle('once'), idle('again')].map((each) => startConsumer(each, options));
  await eventually('both have begun', async () => (await place.store.cursor('again')) && (await place.store.cursor('once')));
  const [begun] = await Promise.all([place.store.cursor('again'), place.store.cursor('once')]);
  await place.store.write([put(things, 'a', {})], inTime());
  await eventually('both have handled it', () => handled.once === 1 && handled.again === 1);
  await eventually('the one has moved', async () => (await place.store.cursor('once'))?.order !== begun?.order);
  expect(await place.store.cursor('again')).toEqual(begun);
  await Promise.all([...running.map(({ stop }) => stop(Date.now() + 1_000)), feed.close()]);
  await place.remove();
});

test('a consumer tries again after pauses that double up to a bound, each shortened at random', async () => {
  const place = await openSqlitePlace({ resources });
  await beginAt(place.store);
  const feed = await Feed.open({ store: place.store, onTrouble: () => undefined });
  const triesMs: number[] = [];
  const randoms = [1, 1, 1, 0];
  const failing: Consumer = {
    ...counting,
    handle: () => {
      triesMs.push(performance.now());
      throw new Error('a bug');
    },
  };
  const random = () => randoms.shift() ?? 1;
  const running = startConsumer(failing, { store: place.store, feed, random, onTrouble: () => undefined });
  await place.store.write([put(things, 'x', {})], inTime());
  await eventually('it was tried five times', () => triesMs.length === 5);
  const gaps = triesMs.slice(1).map((ms, index) => ms - (triesMs[index] ?? 0));
  for (const [index, leastMs] of [100, 200, 400].entries()) expect(gaps[index]).toBeGreaterThanOrEqual(leastMs - 5);
  expect(gaps[3]).toBeLessThan(gaps[2] ?? 0);
  await running.stop(Date.now() + 1_000);
  await feed.close();
  await place.remove();
});

test('a consumer that does not get on says how far it is behind, and no longer once it has caught up', async () => {
  const place = await openSqlitePlace({ resources });
  await beginAt(place.store);
  const feed = await Feed.open({ store: place.store, onTrouble: () => undefined });
  let isDone = false;
  const slow: Consumer = { ...counting, handle: async () => (await eventually('it may go on', () => isDone, { msMax: 20_000 }), []) };
  const running = startConsumer(slow, { store: place.store, feed, onTrouble: () => undefined });
  await place.store.write([put(things, 'x', {})], inTime());
  const detail = async () => (await running.state()).detail;
  await eventually('it says so', async () => /^is [56] s behind$/.test((await detail()) ?? ''), { msMax: 8_000 });
  expect((await running.state()).ready).toBe(true);
  isDone = true;
  await eventually('it has caught up', async () => (await detail()) === undefined);
  await running.stop(Date.now() + 1_000);
  await feed.close();
  await place.remove();
}, 20_000);

/** Begins the consumer's cursor here, so that it is owed every change from now on, also those before it first runs. */
async function beginAt(store: Store): Promise<void> {
  await store.write([], { ...inTime(), cursor: { consumer: counting.name, from: undefined, to: await store.head() } });
}

/** What a process acknowledged until it died; `onLines` is told how many lines there are. */
async function idsUntil(
  place: string,
  name: string,
  onLines: (child: Bun.Subprocess, lines: number) => unknown,
): Promise<readonly string[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'consuming-program.ts'), place, name], {
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of child.stdout) {
    for (const letter of decoder.decode(chunk, { stream: true })) {
      text += letter;
      if (letter === '\n') onLines(child, text.split('\n').length - 1);
    }
  }
  const lines = text.split('\n').slice(0, -1);
  expect(lines.length).toBeGreaterThanOrEqual(5);
  return lines;
}

async function mustHaveEffects(store: Store, ids: readonly string[]): Promise<void> {
  const feed = await Feed.open({ store, onTrouble: () => undefined });
  const running = startConsumer(counting, { store, feed, onTrouble: () => undefined });
  await eventually('the last one has its effect', () => textOf(store, effects, ids.at(-1) ?? ''));
  expect(await Promise.all(ids.map((id) => textOf(store, effects, id)))).toEqual(ids.map((id) => `{"id":"${id}","size":1}`));
  await running.stop(Date.now() + 1_000);
  await feed.close();
}

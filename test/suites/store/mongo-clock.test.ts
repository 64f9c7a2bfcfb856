/** Clocks that are set forward and back, the server's and ours: order, waits and what was promised do not depend on them. */
import { expect, test } from 'bun:test';
import { JumpingClock } from '../../mongod/mongod.ts';
import { Random } from '../../support/random.ts';
import { openFaultyPlace } from './faulty-place.ts';
import { changesTo } from './read-changes.ts';
import { put, reasonOf } from './harness.ts';
import { open as things } from './things.ts';

const hourMs = 3_600_000;

test.each([1, 2, 3, 4])('positions, the feed and idempotency hold while both clocks jump (%d)', async (seed) => {
  const random = new Random(seed);
  const [theirs, ours] = [new JumpingClock(), new JumpingClock()];
  await using place = await openFaultyPlace({ resources: [things], clock: () => ours.now(), mongod: { clock: theirs, seed } });
  const { store } = place;
  const from = await store.head();
  const orders = [from.order];
  const write = (n: number) =>
    store.write([put(things, 'n', { size: n })], {
      deadline: ours.now() + 30_000,
      once: { key: `k${n}`, fingerprint: 'f', answer: () => `answer ${n}` },
    });
  for (let n = 1; n <= 30; n++) {
    if (random.chance(0.3)) theirs.jump((random.below(4) - 2) * hourMs + random.below(1_000));
    if (random.chance(0.3)) ours.jump((random.below(4) - 2) * hourMs);
    orders.push((await write(n)).position.order);
    const earlier = 1 + random.below(n);
    expect((await write(earlier)).replayed).toBe(`answer ${earlier}`);
  }
  expect(orders).toEqual([...orders].sort());
  expect(new Set(orders).size).toBe(orders.length);
  const changes = await changesTo(store, from, await store.head());
  expect(changes.map((change) => change.kind === 'document' && change.after?.['size'])).toEqual(
    Array.from({ length: 30 }, (_, n) => n + 1),
  );
  expect((await store.get(things, 'n', { deadline: ours.now() + 30_000, atLeast: await store.head() })).value?.value['size']).toBe(30);
}, 60_000);

test.each([-hourMs, hourMs])('a wait is as long as it was meant to be when our clock jumps by %d ms meanwhile', async (jumpMs) => {
  const ours = new JumpingClock();
  await using place = await openFaultyPlace({ resources: [things], clock: () => ours.now() });
  const { server, store } = place;
  const gate = Promise.withResolvers<void>();
  const arrived = server.at({ command: 'find', when: 'before' }, () => (ours.jump(jumpMs), gate.promise));
  const within = (ms: number) => ({ deadline: ours.now() + ms });
  const hanging = reasonOf(store.write([put(things, 'n', {})], within(300)));
  // The sleep is the bound after which the test fails.
  expect(await Promise.race([hanging, Bun.sleep(20_000)])).toBe('deadline_exceeded');
  gate.resolve();
  await arrived;
  // A deadline long enough for any machine, and far less than the jump.
  const patient = store.write([put(things, 'n', { size: 1 })], within(60_000));
  await server.at({ command: 'find', when: 'before' }, () => ours.jump(jumpMs));
  expect((await patient).outcomes[0]?.kind).toBe('written');
}, 60_000);

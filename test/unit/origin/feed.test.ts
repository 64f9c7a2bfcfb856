/** The feed over a source that does what the test says. */
import { expect, test } from 'bun:test';
import { Feed, type FeedStep } from '../../../origin/feed/feed.ts';
import { openEventStream } from '../../../origin/live/event-stream.ts';
import type { DocumentChange } from '../../../shared/contract/change.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { ChangeBatch, HistoryLost, Store } from '../../../origin/store/store.ts';
import { eventually } from '../../support/eventually.ts';

const epoch = 'e'.repeat(16);
const at = (order: number): Position => ({ epoch, order: order.toString(16).padStart(20, '0') });

/** All that the feed asks of a store. */
function scripted(watch: (from: Position, asked: number) => AsyncGenerator<ChangeBatch | HistoryLost>): Store {
  let asked = 0;
  const store: Pick<Store, 'head' | 'watch'> = { head: async () => at(1), watch: (from) => watch(from, asked++) };
  return store as Store;
}

test('a follower who waits hears at once that history was lost, though nothing happens afterwards', async () => {
  const lose = Promise.withResolvers<void>();
  const store = scripted(async function* (from, asked) {
    if (asked === 0) await lose.promise;
    if (from.order < at(9).order) yield { lost: true, head: at(9) };
    else await new Promise(() => undefined);
  });
  // No heartbeat comes to wake anybody while this runs.
  const feed = await Feed.open({ store, heartbeatMs: 3_600_000, onTrouble: () => undefined });
  const steps = feed.follow(at(1), new AbortController().signal);
  const next = steps.next();
  lose.resolve();
  expect((await next).value satisfies FeedStep | undefined).toEqual({ kind: 'lost', through: at(9) });
});

test('a subscriber from whom the store is cut off is asked to come back, and the trouble is told', async () => {
  const cut = new Error('cut off');
  const store = scripted(async function* (_from, asked) {
    if (asked > 0) throw cut;
    await new Promise(() => undefined);
  });
  const feed = await Feed.open({ store, heartbeatMs: 3_600_000, onTrouble: () => undefined });
  const troubles: unknown[] = [];
  const stream = openEventStream(feed, {
    resource: reviews, readable: true, present: ({ text }) => text, audience: 'anyone', from: at(0),
    standing: async () => [], credential: undefined, hasOwnIds: false, token: ({ order }) => order,
    onTrouble: (cause) => void troubles.push(cause),
  }, new AbortController().signal);
  const text = await new Response(stream).text();
  expect(text.endsWith(`event: reconnect\nid: ${at(0).order}\ndata: {}\n\n`)).toBe(true);
  expect(troubles).toEqual([cut]);
});

test.each([
  ['few large', 20, 1_000_000],
  ['many small', 5_000, 10],
] as const)('of %s changes the last are kept for all, and who is behind those asks the store', async (_what, count, characters) => {
  const sizeOf = (order: number): DocumentChange =>
    ({ kind: 'document', position: at(order), resource: 'films', id: String(order), before: null, after: {}, characters });
  const all = Array.from({ length: count }, (_, index) => sizeOf(index + 2));
  const asked: string[] = [];
  const store = scripted(async function* (from) {
    asked.push(from.order);
    const changes = all.filter(({ position }) => position.order > from.order);
    for (const change of changes) yield { changes: [change], through: change.position, completeAtMs: undefined };
    yield { changes: [], through: at(count + 1), completeAtMs: performance.now() };
    await new Promise(() => undefined);
  });
  const feed = await Feed.open({ store, heartbeatMs: 3_600_000, onTrouble: () => undefined });
  await eventually('all were heard', () => feed.through.order === at(count + 1).order);
  const firstOf = async (from: number) => {
    const { value } = await feed.follow(at(from), new AbortController().signal).next();
    return value?.kind === 'changes' ? [value.changes[0]?.position.order, value.late] : value;
  };
  expect(await firstOf(count - 1)).toEqual([at(count).order, false]);
  expect(asked).toHaveLength(1);
  expect(await firstOf(3)).toEqual([at(4).order, true]);
  expect(asked).toEqual([at(1).order, at(3).order]);
});

test('of a change that alone is larger than all may be, everybody is told', async () => {
  const large = { before: null, after: {}, characters: 1e9 };
  const change: DocumentChange = { kind: 'document', position: at(2), resource: 'films', id: 'a', ...large };
  const store = scripted(async function* () {
    yield { changes: [change], through: change.position, completeAtMs: performance.now() };
    await new Promise(() => undefined);
  });
  const feed = await Feed.open({ store, heartbeatMs: 3_600_000, onTrouble: () => undefined });
  const { value } = await feed.follow(at(1), new AbortController().signal).next();
  expect(value).toMatchObject({ kind: 'changes', changes: [change], late: false });
});

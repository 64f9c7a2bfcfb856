/** The feed over a source that does what the test says. */
import { expect, test } from 'bun:test';
import { Feed, type FeedStep } from '../../../origin/feed/feed.ts';
import { openEventStream } from '../../../origin/live/event-stream.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { ChangeBatch, HistoryLost, Store } from '../../../origin/store/store.ts';

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

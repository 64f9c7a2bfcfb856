/** A live feed in a process that hears of commits late. */
import { expect, test } from 'bun:test';
import { presenter } from '../../../origin/documents/present.ts';
import { Feed } from '../../../origin/feed/feed.ts';
import { openEventStream } from '../../../origin/live/event-stream.ts';
import type { Store } from '../../../origin/store/store.ts';
import { equals, reduce } from '../../../shared/contract/rules.ts';
import { formatPosition } from '../../../shared/wire/position.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { EventStream } from '../../support/event-stream.ts';
import { inTime, type OpenPlace, put } from '../../suites/store/harness.ts';
import { openMongoPlace } from '../../suites/store/mongo-place.ts';
import { openSqlitePlace } from '../../suites/store/sqlite-place.ts';
import { open as things } from '../../suites/store/things.ts';

const engines: readonly (readonly [string, OpenPlace])[] = [['sqlite', openSqlitePlace], ['mongodb', openMongoPlace]];

/** A store of which nothing is heard until then. */
function heardFrom(store: Store, moment: Promise<void>): Store {
  async function* watch(...asked: Parameters<Store['watch']>) {
    await moment;
    yield* store.watch(...asked);
  }
  const late: Pick<Store, 'head' | 'watch'> = { head: () => store.head(), watch };
  return late as Store;
}

test.each(engines)('shows nothing of what was hidden before its subscriber came, whenever that is heard of: %s', async (_engine, open) => {
  const place = await open({ resources: [things] });
  const { store } = place;
  const { promise: moment, resolve: hear } = Promise.withResolvers<void>();
  const feed = await Feed.open({ store: heardFrom(store, moment), onTrouble: () => undefined });
  const write = (text: string) => store.write([put(things, 'it', { text })], inTime());
  const from = await store.head();
  await write('seen');
  await write('hidden');
  const subscribe = (begin: typeof from | undefined) => new EventStream(new Response(openEventStream(feed, {
    resource: things, readable: reduce(equals('text', 'seen'), anonymous), present: presenter(things, anonymous, undefined),
    audience: 'anyone', from: begin, token: formatPosition, credential: undefined, hasOwnIds: false, onTrouble: () => undefined,
    standing: async (ids, atLeast) => (await store.many(things, ids, { ...inTime(), atLeast })).value,
  }, new AbortController().signal)));
  const streams = [subscribe(from), subscribe(undefined)];
  try {
    for (const stream of streams) await stream.heardFrom();
    hear();
    for (const stream of streams) {
      for (const name of ['left', 'left']) expect(await stream.next()).toMatchObject({ name, data: '{"id":"it"}' });
    }
    await write('seen');
    for (const stream of streams) expect(await stream.next()).toMatchObject({ name: 'entered', data: '{"id":"it","text":"seen"}' });
  } finally {
    hear();
    for (const stream of streams) await stream.close();
    await feed.close();
    await place.remove();
  }
});

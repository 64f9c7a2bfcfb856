/**
 * A process that writes and consumes what it and others write, until it is killed: each change of a thing leaves one
 * document that counts how often that change had its effect. Prints each id once its write is acknowledged.
 */
import { startConsumer } from '../../../origin/feed/consumer.ts';
import { Feed } from '../../../origin/feed/feed.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import type { Change } from '../../../shared/contract/change.ts';
import { inTime, put } from './harness.ts';
import { effects, open as things } from './things.ts';

const [place = '', name = 'program'] = process.argv.slice(2);
const resources = [things, effects];
const store = await (place.startsWith('mongodb:')
  ? openMongoStore({ uri: place, resources, awayMsMax: 10_000 })
  : openSqliteStore({ dataDir: place, resources }));
const feed = await Feed.open({ store, onTrouble: () => undefined });
startConsumer(
  { name: 'counting', handle: (changes) => changes.flatMap(toEffect), lost: () => [] },
  { store, feed, onTrouble: () => undefined },
);
for (let index = 0; ; index++) {
  const id = `${name}-${index}`;
  await store.write([put(things, id, { text: id })], inTime());
  process.stdout.write(`${id}\n`);
}

function toEffect(change: Change): readonly Mutation[] {
  if (change.kind !== 'document' || change.resource !== things.name) return [];
  const count = (before: { readonly value: Readonly<Record<string, unknown>> } | undefined) => Number(before?.value['size'] ?? 0) + 1;
  return [{ resource: effects, id: change.id, decide: (before) => ({ kind: 'put', document: { size: count(before) } }) }];
}

// TTL: deletes what has expired, as the primary's monitor does once a minute or when a test asks.
import type { Member } from './replica/member.ts';
import type { Collection } from './storage/collection.ts';
import type { Index } from './storage/indexes.ts';
import { latestDoc } from './storage/records.ts';
import { valueAt } from './values/paths.ts';
import type { Doc } from './values/types.ts';

export function expireDocuments(member: Member): number {
  let expired = 0;
  for (const collections of member.store.databases.values()) {
    for (const collection of collections.values()) {
      for (const index of collection.indexes.values()) if (index.spec.expireAfterSeconds !== null) expired += expireBy(member, collection, index, index.spec.expireAfterSeconds);
    }
  }
  return expired;
}

function expireBy(member: Member, collection: Collection, { spec }: Index, seconds: number): number {
  const before = member.clock.now() - seconds * 1000;
  const path = spec.fields[0]?.path ?? '';
  let expired = 0;
  for (const record of [...collection.records.values()]) {
    const doc = latestDoc(record);
    if (!doc || record.pending || (spec.partial && !spec.partial.test(doc)) || !isExpired(doc, path, before)) continue;
    member.write([{ kind: 'delete', db: collection.db, collection: collection.name, uuid: collection.uuid, id: doc['_id'], before: doc, images: (collection.options['changeStreamPreAndPostImages'] as Doc | undefined)?.['enabled'] === true }]);
    expired++;
  }
  return expired;
}

// Of several dates in an array the earliest counts; other types never expire.
function isExpired(doc: Doc, path: string, before: number): boolean {
  const value = valueAt(doc, path);
  const dates = (Array.isArray(value) ? value : [value]).filter(item => item instanceof Date);
  return dates.some(date => date.getTime() <= before);
}

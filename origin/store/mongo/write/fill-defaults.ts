/**
 * Declared defaults for stored documents that lack them: each update sets one member, and only where it is still missing, so
 * it may be done twice, be cut short anywhere, and run beside every other writer. The feed and caches hear of it as of any
 * other change; `rev` and times stay, since nobody has edited the document. What was given to whom is noted, for an undo.
 */
import type { Db, FindCursor, ObjectId } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, defaultPlaces } from '../../examination/absences.ts';
import { examinationLimits } from '../../examination/examination.ts';
import type { Filled } from '../../planned.ts';
import { idFormOf } from '../read/stored-ids.ts';
import { type Lacking, lackingFilter } from './default-updates.ts';
import { beginNotes, fillNoted } from './fill-noted.ts';

/** Documents of one note, and updates that are under way at once. */
const batchMax = 100;

export interface Batch {
  readonly database: Db;
  readonly resource: Resource;
  readonly places: readonly DefaultPlace[];
  readonly ids: readonly unknown[];
  /** Notes that somebody else began: what is filled in here was not filled in by them. */
  readonly begun: readonly ObjectId[];
}

export interface Filling {
  /** How many were given what they lacked. */
  readonly documents: number;
  /** Ids of those that the database's checks refuse to take so. */
  readonly refused: readonly unknown[];
}

/** `database`: on a connection that waits, since the whole collection is read. */
export async function fillDefaults(database: Db, resource: Resource): Promise<Filled> {
  const places = defaultPlaces(resource);
  let filled: Filled = { resource: resource.name, documents: 0, refused: { count: 0, examples: [] } };
  if (places.length === 0) return filled;
  const { collection } = resource;
  const lacking = { $or: places.map((place) => lackingFilter(resource, place)) };
  const found = database.collection<Lacking>(collection)
    .find(lacking, { projection: { _id: 1 }, batchSize: batchMax, promoteLongs: false });
  let begun: readonly ObjectId[] | undefined;
  for await (const ids of inBatches(resource, found)) {
    begun ??= await beginNotes(database, collection);
    const { documents, refused } = await fillNoted({ database, resource, places, ids, begun });
    filled = {
      ...filled, documents: filled.documents + documents,
      refused: {
        count: filled.refused.count + refused.length,
        examples: [...filled.refused.examples, ...refused.map(String)].slice(0, examinationLimits.examplesMax),
      },
    };
  }
  return filled;
}

/** What nobody is served, its id being of another kind, is left as it is. */
async function* inBatches(resource: Resource, found: FindCursor<Lacking>): AsyncGenerator<readonly unknown[]> {
  let ids: unknown[] = [];
  for await (const { _id } of found) {
    if (idFormOf(resource).fromStored(_id) === undefined || ids.push(_id) < batchMax) continue;
    yield ids;
    ids = [];
  }
  if (ids.length > 0) yield ids;
}

/**
 * Declared defaults for stored documents that lack them: each update sets one member, and only where it is still missing, so
 * it may be done twice, be cut short anywhere, and run beside every other writer. The feed and caches hear of it as of any
 * other change; `rev` and times stay, since nobody has edited the document. What was given to whom is noted, for an undo.
 */
import type { Db, FindCursor } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, defaultPlaces } from '../../examination/absences.ts';
import { examinationLimits } from '../../examination/examination.ts';
import type { Filled } from '../../planned.ts';
import type { Target } from '../install/install.ts';
import { idFormOf } from '../read/stored-ids.ts';
import { type Lacking, lackingFilter } from './default-updates.ts';
import { fillCounted } from './fill-counted.ts';
import { fillNoted } from './fill-noted.ts';

/** Documents of one transaction and of one note: some milliseconds of the server's time, between which others write. */
const batchMax = 100;

export interface Batch {
  readonly database: Db;
  readonly resource: Resource;
  readonly places: readonly DefaultPlace[];
  readonly ids: readonly unknown[];
}

export interface Given {
  /** How many were given what they lacked. */
  readonly documents: number;
  /** Ids of those that the database's checks refuse to take so. */
  readonly refused: readonly unknown[];
}

/** `database`: on a connection that waits, since the whole collection is read. */
export async function fillDefaults({ database, deployment }: Pick<Target, 'database' | 'deployment'>, resource: Resource): Promise<Filled> {
  const places = defaultPlaces(resource);
  let filled: Filled = { resource: resource.name, documents: 0, refused: { count: 0, examples: [] } };
  if (places.length === 0) return filled;
  const fill = deployment === 'standalone' ? fillCounted : fillNoted;
  const lacking = { $or: places.map((place) => lackingFilter(resource, place)) };
  const found = database.collection<Lacking>(resource.collection)
    .find(lacking, { projection: { _id: 1 }, batchSize: batchMax, promoteLongs: false });
  for await (const ids of inBatches(resource, found)) {
    const { documents, refused } = await fill({ database, resource, places, ids });
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

/**
 * Documents whose `_id` is of another form than the resource declares: no request can name them, so nothing of them is served,
 * and whoever starts or plans is told how many there are (SEMANTICS §15). Of a large collection both ends of the index of
 * `_id` are looked at: types lie apart there, so what is of another type lies at an end unless it is between two others.
 */
import type { Db, Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { codeOf, codes } from '../connection/errors.ts';
import { idFormOf, idForms } from '../read/stored-ids.ts';

/** Keys that are read at each end; the index alone is read for it, some milliseconds. */
const endMax = 10_000;
/** What has no more is looked at as a whole. */
const wholeMax = 2 * endMax;
/** Who cannot be told by then is told nothing: a start waits for it. */
const lookMsMax = 2_000;

interface Look {
  readonly documents: number;
  /** How many of them are of another form, by their BSON type. */
  readonly foreign: ReadonlyMap<string, number>;
}

/** A line to be told; `undefined` where each document that was looked at can be named. */
export async function toForeignIds(database: Db, resource: Resource): Promise<string | undefined> {
  const look = await lookAt(database, resource);
  const count = sumOf(look);
  if (count === 0) return undefined;
  const of = look.documents > wholeMax ? `of the first and the last ${endMax}` : `of ${look.documents}`;
  const have = `${count} ${of} documents of ${resource.collection} have an _id that is no ${idFormOf(resource).name}`;
  return `${have}: ${format(look)}; they are not served`;
}

/** What to declare in the place of a form that none of the documents has; nothing where one has, or there are none. */
export async function toUnfitIds(database: Db, resource: Resource): Promise<readonly string[]> {
  const look = await lookAt(database, resource);
  if (look.documents === 0 || sumOf(look) < Math.min(look.documents, wholeMax)) return [];
  if (await holds(database, resource, idFormOf(resource).filter)) return [];
  const fitting: string[] = [];
  for (const { filter, declaration } of idForms) if (await holds(database, resource, filter)) fitting.push(declaration);
  const advice = fitting.length === 0 ? 'no id that can be declared is of these' : `declare id: ${fitting.join(' or ')}`;
  const { collection } = resource;
  return [`${collection}: none of its documents has an _id that is a ${idFormOf(resource).name} (${format(look)}); ${advice}`];
}

async function lookAt(database: Db, resource: Resource): Promise<Look> {
  const documents = await database.collection(resource.collection).estimatedDocumentCount();
  const foreign = new Map<string, number>();
  const ends = documents > wholeMax ? [{ _id: 1, limit: endMax }, { _id: -1, limit: endMax }] : [{ _id: 1, limit: wholeMax }];
  for (const end of documents === 0 ? [] : ends) {
    for (const { _id, count } of await typesAt(database, resource, end)) foreign.set(_id, (foreign.get(_id) ?? 0) + count);
  }
  return { documents, foreign };
}

interface Counted extends Document {
  readonly _id: string;
  readonly count: number;
}

interface End {
  readonly _id: number;
  readonly limit: number;
}

async function typesAt(database: Db, resource: Resource, { _id, limit }: End): Promise<readonly Counted[]> {
  const stages = [
    { $sort: { _id } }, { $limit: limit }, { $project: { _id: 1 } }, { $match: { $nor: [idFormOf(resource).filter] } },
    { $group: { _id: { $type: '$_id' }, count: { $sum: 1 } } }, { $sort: { _id: 1 } },
  ];
  try {
    return await database.collection(resource.collection).aggregate<Counted>(stages, { hint: { _id: 1 }, maxTimeMS: lookMsMax }).toArray();
  } catch (error) {
    if (codeOf(error) === codes.maxTimeMsExpired) return [];
    throw error;
  }
}

async function holds(database: Db, { collection }: Resource, filter: Document): Promise<boolean> {
  return (await database.collection(collection).findOne(filter, { hint: { _id: 1 }, projection: { _id: 1 } })) !== null;
}

function sumOf({ foreign }: Look): number {
  return [...foreign.values()].reduce((sum, count) => sum + count, 0);
}

function format({ foreign }: Look): string {
  return [...foreign].map(([type, count]) => `${count} ${type}`).join(', ');
}

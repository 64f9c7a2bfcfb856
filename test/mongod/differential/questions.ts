import { Int32 } from 'bson';
import { makePipeline } from './pipelines.ts';
import { makeFilter, makeProjection, makeSort } from './queries.ts';
import { type Random, seededRandom } from './random.ts';
import { makeUpdate } from './updates.ts';
import { type Doc, makeDocument, paths } from './values.ts';

/** One command and the documents that it is asked over. A question that writes is followed by a look at all documents. */
export type Question = {
  readonly seed: number;
  /** Which documents: the same number, the same documents. */
  readonly world: number;
  readonly documents: readonly Doc[];
  readonly others: readonly Doc[];
  readonly command: Doc;
  readonly writes: boolean;
};

/** The collections are small, so that a difference can be read; their names are in every command. */
export const [collectionName, othersName] = ['things', 'other'];

const [documentsMax, othersMax] = [8, 3];

/** Neighbouring seeds ask over the same documents, which then need to be stored once only. */
export const questionsPerWorld = 4;

/** The same seed makes the same question, whatever was asked before. */
export function makeQuestion(seed: number): Question {
  const world = Math.floor(seed / questionsPerWorld);
  const command = makeCommand(seededRandom(seed));
  const [name] = Object.keys(command);
  return { seed, world, ...makeWorld(world), command, writes: name === 'update' || name === 'delete' || name === 'findAndModify' };
}

function makeWorld(world: number): Pick<Question, 'documents' | 'others'> {
  const random = seededRandom(-1 - world);
  const documents = Array.from({ length: 1 + random.below(documentsMax) }, (_, index) => makeDocument(random, index));
  return { documents, others: Array.from({ length: random.below(othersMax + 1) }, (_, index) => makeDocument(random, index)) };
}

function makeCommand(random: Random): Doc {
  return random.weighted<Doc>(
    [40, () => makeFind(random)],
    [3, () => ({ count: collectionName, query: makeFilter(random) })],
    [4, () => ({ distinct: collectionName, key: random.pick(paths), query: makeFilter(random) })],
    [30, () => ({ aggregate: collectionName, pipeline: makePipeline(random), cursor: {} })],
    [25, () => makeUpdateCommand(random)],
    [3, () => ({ delete: collectionName, deletes: [{ q: makeFilter(random), limit: new Int32(random.below(2)) }] })],
    [5, () => makeFindAndModify(random)],
  );
}

function makeFind(random: Random): Doc {
  return {
    find: collectionName,
    filter: makeFilter(random),
    ...(random.chance(0.4) ? { sort: makeSort(random) } : {}),
    ...(random.chance(0.2) ? { skip: new Int32(random.below(3)) } : {}),
    ...(random.chance(0.2) ? { limit: new Int32(1 + random.below(4)) } : {}),
    ...(random.chance(0.3) ? { projection: makeProjection(random) } : {}),
  };
}

function makeUpdateCommand(random: Random): Doc {
  const { u, arrayFilters } = makeUpdate(random);
  const whole = typeof u === 'object' && u !== null && !Object.keys(u).some(key => key.startsWith('$'));
  const update = { q: makeTarget(random), u, multi: !whole && random.chance(0.5), upsert: random.chance(0.15) };
  return { update: collectionName, updates: [arrayFilters === undefined ? update : { ...update, arrayFilters }] };
}

function makeFindAndModify(random: Random): Doc {
  const common = { findAndModify: collectionName, query: makeTarget(random), sort: makeSort(random) };
  if (random.chance(0.3)) return { ...common, remove: true };
  const { u, arrayFilters } = makeUpdate(random);
  return { ...common, update: u, new: random.chance(0.5), ...(arrayFilters === undefined ? {} : { arrayFilters }) };
}

/** Most updates must find something to change. */
const makeTarget = (random: Random): Doc => (random.chance(0.6) ? { _id: { $lt: new Int32(1 + random.below(8)) } } : makeFilter(random));

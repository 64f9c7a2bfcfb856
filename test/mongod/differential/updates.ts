import { Int32 } from 'bson';
import type { Random } from './random.ts';
import { type Doc, makeDocument, makeInt, makeNested, makeNumber, makeScalar, makeValue } from './values.ts';

const places = ['a', 'b', 'c', 'n.x', 'n.new', 'list.0', 'list.2', 'docs.0.x', 'fresh', 'fresh.deep'] as const;
const arrays = ['list', 'list', 'docs', 'a', 'fresh'] as const;

export type Update = { readonly u: unknown; readonly arrayFilters?: readonly Doc[] };

/** Random updates by operators, or a whole document in place of the old one. */
export function makeUpdate(random: Random): Update {
  if (random.chance(0.08)) return { u: makeReplacement(random) };
  if (random.chance(0.08)) return makeFiltered(random);
  const first = makeOperator(random);
  return { u: random.chance(0.3) ? { ...first, ...makeOperator(random) } : first };
}

function makeReplacement(random: Random): Doc {
  const { _id, ...document } = makeDocument(random, 0);
  return document;
}

function makeFiltered(random: Random): Update {
  return random.weighted<Update>(
    [2, () => ({ u: { $inc: { 'list.$[item]': makeInt(random, 1, 3) } }, arrayFilters: [{ item: { $gte: makeInt(random, -1, 3) } }] })],
    [2, () => ({ u: { $set: { 'docs.$[item].y': makeScalar(random) } }, arrayFilters: [{ 'item.x': makeScalar(random) }] })],
    [1, () => ({ u: { $set: { 'docs.$[].z': makeScalar(random) } } })],
  );
}

function makeOperator(random: Random): Doc {
  const place = random.pick(places);
  const array = random.pick(arrays);
  return random.weighted<Doc>(
    [4, () => ({ $set: { [place]: makeValue(random) } })],
    [2, () => ({ $unset: { [place]: '' } })],
    [2, () => ({ $inc: { [place]: makeNumber(random) } })],
    [1, () => ({ $mul: { [place]: makeNumber(random) } })],
    [2, () => ({ [random.pick(['$min', '$max'])]: { [place]: makeScalar(random) } })],
    [1, () => ({ $rename: { [random.pick(['a', 'b', 'n.x'])]: random.pick(['c', 'renamed', 'n.y', 'n.renamed']) } })],
    [3, () => ({ $push: { [array]: random.chance(0.5) ? makeScalar(random) : makeEach(random) } })],
    [2, () => ({ $addToSet: { [array]: random.chance(0.6) ? makeScalar(random) : { $each: random.list(3, () => makeScalar(random)) } } })],
    [2, () => ({ $pull: { [array]: makePulled(random) } })],
    [1, () => ({ $pullAll: { [array]: random.list(3, () => makeScalar(random)) } })],
    [1, () => ({ $pop: { [array]: new Int32(random.pick([1, -1])) } })],
    [1, () => ({ $setOnInsert: { [place]: makeScalar(random) } })],
  );
}

function makeEach(random: Random): Doc {
  return {
    $each: random.list(3, () => makeScalar(random)),
    ...(random.chance(0.4) ? { $position: makeInt(random, -2, 3) } : {}),
    ...(random.chance(0.4) ? { $slice: makeInt(random, -3, 3) } : {}),
    ...(random.chance(0.4) ? { $sort: new Int32(random.pick([1, -1])) } : {}),
  };
}

function makePulled(random: Random): unknown {
  return random.weighted<unknown>(
    [3, () => makeScalar(random)],
    [2, () => ({ $gte: makeScalar(random) })],
    [1, () => ({ $in: random.list(3, () => makeScalar(random)) })],
    [1, () => ({ x: makeScalar(random) })],
    [1, () => makeNested(random)],
  );
}

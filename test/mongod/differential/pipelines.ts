import { Int32 } from 'bson';
import { makeExpression } from './expressions.ts';
import { makeFilter, makeFlags, makeSort } from './queries.ts';
import type { Random } from './random.ts';
import { type Doc, makeInt } from './values.ts';

/** Random pipelines of one to four stages. What MongoDB leaves unordered (groups, sets) is sorted or counted. */
export function makePipeline(random: Random): Doc[] {
  const length = 1 + random.below(4);
  return Array.from({ length }, () => makeStages(random)).flat();
}

function makeStages(random: Random): Doc[] {
  return random.weighted<Doc[]>(
    [3, () => [{ $match: random.chance(0.8) ? makeFilter(random) : { $expr: makeExpression(random) } }]],
    [3, () => [{ $sort: makeSort(random) }]],
    [1, () => [{ $limit: makeInt(random, 1, 6) }]],
    [1, () => [{ $skip: makeInt(random, 0, 3) }]],
    [3, () => [{ $project: random.chance(0.4) ? makeFlags(random) : { r: makeExpression(random), a: new Int32(1) } }]],
    [3, () => [{ $addFields: { [random.pick(['r', 'a'])]: makeExpression(random) } }]],
    [1, () => [{ $unset: random.pick(['a', 'n.x', 'docs.x']) }]],
    [2, () => [makeUnwind(random)]],
    [3, () => makeGroup(random)],
    [1, () => [{ $sortByCount: random.pick(['$a', '$n.x', '$missing']) }, { $sort: { count: -1, _id: 1 } }]],
    [1, () => [{ $count: 'total' }]],
    [1, () => [{ $replaceRoot: { newRoot: { $mergeObjects: [{ _id: '$_id' }, '$n'] } } }]],
    [1, () => [{ $lookup: { from: 'other', localField: random.pick(['a', 'n.x', 'list']), foreignField: random.pick(['a', '_id', 'list']), as: 'found' } }]],
    [0.5, () => [{ $facet: { few: [{ $limit: makeInt(random, 1, 2) }], total: [{ $count: 'n' }] } }]],
    [0.5, () => [{ $bucket: { groupBy: '$_id', boundaries: [0, 2, 4, 100].map(n => new Int32(n)), output: { n: { $sum: 1 } } } }]],
  );
}

function makeUnwind(random: Random): Doc {
  const path = random.pick(['$list', '$docs', '$a']);
  if (random.chance(0.4)) return { $unwind: path };
  return { $unwind: { path, preserveNullAndEmptyArrays: random.chance(0.5), ...(random.chance(0.5) ? { includeArrayIndex: 'at' } : {}) } };
}

function makeGroup(random: Random): Doc[] {
  const key = random.weighted<unknown>(
    [3, () => random.pick(['$a', '$b', '$n.x', '$missing'])],
    [1, () => null],
    [1, () => makeExpression(random, 1)],
    [1, () => ({ k: '$a' })],
  );
  const accumulator = random.pick(['$sum', '$avg', '$min', '$max', '$first', '$last', '$push']);
  const set = random.chance(0.2);
  return [
    { $sort: { _id: 1 } },
    { $group: { _id: key, n: { $sum: 1 }, v: { [accumulator]: random.pick<unknown>(['$_id', '$a', '$n.x', '$b']) }, ...(set ? { s: { $addToSet: '$b' } } : {}) } },
    ...(set ? [{ $addFields: { s: { $size: '$s' } } }] : []),
    { $sort: { _id: 1 } },
  ];
}

import { Int32 } from 'bson';
import type { Random } from './random.ts';
import { type Doc, makeInt, makeScalar } from './values.ts';

/** Random aggregation expressions. Those that want a number or an array mostly get one, and sometimes do not. */
export function makeExpression(random: Random, depth = 2): unknown {
  if (depth === 0) return makeLeaf(random);
  const inner = () => makeExpression(random, depth - 1);
  return random.weighted<unknown>(
    [3, () => makeLeaf(random)],
    [3, () => ({ [random.pick(['$eq', '$ne', '$gt', '$gte', '$lt', '$lte', '$cmp'])]: [inner(), inner()] })],
    [3, () => makeArithmetic(random, depth)],
    [2, () => ({ $cond: [inner(), inner(), inner()] })],
    [2, () => ({ $ifNull: [inner(), inner()] })],
    [1, () => ({ [random.pick(['$and', '$or'])]: [inner(), inner()] })],
    [1, () => ({ $not: [inner()] })],
    [2, () => makeArray(random, depth)],
    [2, () => makeText(random)],
    [0.5, () => ({ $mergeObjects: ['$n', { z: inner() }] })],
    [0.5, () => ({ $in: [inner(), random.pick<unknown>(['$list', [new Int32(1), 'a', null]])] })],
  );
}

function makeLeaf(random: Random): unknown {
  return random.weighted<unknown>(
    [5, () => random.pick(['$a', '$b', '$c', '$n.x', '$n.y', '$_id', '$missing', '$list'])],
    [2, () => ({ $literal: makeScalar(random) })],
    [1, () => ({ $literal: makeInt(random, -1, 4) })],
  );
}

function makeArithmetic(random: Random, depth: number): unknown {
  const number = () =>
    random.weighted<unknown>([5, () => random.pick(['$_id', '$_id', '$n.x', '$a'])], [3, () => makeInt(random, -2, 5)], [1, () => makeExpression(random, depth - 1)]);
  return random.weighted<unknown>(
    [3, () => ({ [random.pick(['$add', '$multiply', '$subtract'])]: [number(), number()] })],
    [1, () => ({ [random.pick(['$divide', '$mod'])]: [number(), number()] })],
    [1, () => ({ [random.pick(['$abs', '$floor', '$ceil', '$trunc'])]: number() })],
  );
}

function makeArray(random: Random, depth: number): Doc {
  const list = random.pick(['$list', '$list', '$docs', '$missing']);
  return random.weighted<Doc>(
    [2, () => ({ $size: { $ifNull: [list, []] } })],
    [2, () => ({ $arrayElemAt: [list, makeInt(random, -2, 2)] })],
    [1, () => ({ $isArray: list })],
    [1, () => ({ $slice: [list, makeInt(random, -2, 2)] })],
    [1, () => ({ $concatArrays: [list, random.pick(['$list', '$missing'])] })],
    [1, () => ({ $reverseArray: list })],
    [1, () => ({ $filter: { input: list, as: 'item', cond: { $gte: ['$$item', makeExpression(random, depth - 1)] } } })],
    [1, () => ({ $map: { input: list, as: 'item', in: { $ifNull: ['$$item', 'none'] } } })],
    [1, () => ({ $reduce: { input: list, initialValue: '', in: { $cond: [{ $gt: ['$$this', '$$value'] }, '$$this', '$$value'] } } })],
  );
}

function makeText(random: Random): Doc {
  const text = random.pick(['$a', '$b', 'aBc', '$n.x']);
  return random.weighted<Doc>(
    [2, () => ({ [random.pick(['$toUpper', '$toLower', '$toString'])]: text })],
    [2, () => ({ $concat: [text, '-', random.pick(['$b', 'x'])] })],
    [1, () => ({ $strLenCP: { $ifNull: [text, ''] } })],
    [1, () => ({ $substrCP: ['aBcé', makeInt(random, 0, 3), makeInt(random, 0, 3)] })],
    [1, () => ({ $split: ['a-b-c', '-'] })],
  );
}

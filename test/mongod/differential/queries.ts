import { BSONRegExp, Int32 } from 'bson';
import type { Random } from './random.ts';
import { type Doc, makeInt, makeScalar, makeValue, paths } from './values.ts';

/** Random filters over the small world of `values.ts`. */
export function makeFilter(random: Random, depth = 2): Doc {
  if (random.chance(0.08)) return {};
  if (depth > 0 && random.chance(0.25)) return makeLogical(random, depth);
  const filter: Doc = { [random.pick(paths)]: makeCondition(random) };
  if (random.chance(0.25)) filter[random.pick(paths)] = makeCondition(random);
  return filter;
}

function makeLogical(random: Random, depth: number): Doc {
  const operator = random.pick(['$and', '$or', '$nor']);
  const parts = Array.from({ length: 1 + random.below(3) }, () => makeFilter(random, depth - 1));
  return { [operator]: parts };
}

function makeCondition(random: Random): unknown {
  return random.weighted<unknown>([3, () => makeValue(random)], [1, () => makeRegex(random)], [10, () => makeOperators(random)]);
}

function makeOperators(random: Random): Doc {
  const operators = makeOperator(random);
  return random.chance(0.2) ? { ...operators, ...makeOperator(random) } : operators;
}

function makeOperator(random: Random): Doc {
  return random.weighted<Doc>(
    [4, () => ({ [random.pick(['$gt', '$gte', '$lt', '$lte'])]: makeValue(random) })],
    [2, () => ({ [random.pick(['$eq', '$ne'])]: makeValue(random) })],
    [2, () => ({ [random.pick(['$in', '$nin'])]: random.list(3, () => (random.chance(0.1) ? makeRegex(random) : makeValue(random))) })],
    [1, () => ({ $exists: random.chance(0.5) })],
    [1, () => ({ $type: random.pick<unknown>(['number', 'string', 'int', 'double', 'null', 'array', 'object', 'bool', 'date', new Int32(2), new Int32(16), ['int', 'string']]) })],
    [1, () => ({ $size: makeInt(random, 0, 3) })],
    [1, () => ({ $all: random.list(2, () => makeScalar(random)) })],
    [1, () => ({ $mod: [makeInt(random, 1, 3), makeInt(random, 0, 2)] })],
    [1, () => ({ $elemMatch: makeElementMatch(random) })],
    [1, () => ({ $not: random.chance(0.2) ? makeRegex(random) : makeOperator(random) })],
    [0.5, () => ({ $regex: random.pick(patterns), $options: random.pick(['', 'i']) })],
  );
}

function makeElementMatch(random: Random): Doc {
  if (random.chance(0.5)) return { [random.pick(['x', 'y'])]: random.chance(0.5) ? makeScalar(random) : { $gte: makeScalar(random) } };
  return { $gte: makeScalar(random), ...(random.chance(0.5) ? { $lt: makeScalar(random) } : {}) };
}

const makeRegex = (random: Random) => new BSONRegExp(random.pick(patterns), random.pick(['', 'i']));

/** mongo-java-server matches a pattern against any value written out; these fit no number, date or boolean. */
const patterns = ['^a', '^A', 'b$', '^ab', '^a.*c$', '^é', '^$'];

/** Ties are wanted; most sorts end with `_id`, because MongoDB promises no order among equals. */
export function makeSort(random: Random): Doc {
  const sort: Doc = {};
  const length = 1 + random.below(2);
  for (let index = 0; index < length; index++) sort[random.pick(paths)] = new Int32(random.pick([1, -1]));
  sort['_id'] = new Int32(random.pick([1, -1]));
  return sort;
}

export function makeProjection(random: Random): Doc {
  return random.weighted<Doc>(
    [7, () => makeFlags(random)],
    [1, () => ({ list: { $slice: random.chance(0.5) ? makeInt(random, -2, 2) : [makeInt(random, -2, 2), makeInt(random, 1, 2)] } })],
    [1, () => ({ docs: { $elemMatch: { [random.pick(['x', 'y'])]: { $gte: makeScalar(random) } } } })],
  );
}

/** Fields kept or fields left out, as `find` and `$project` both take them. */
export function makeFlags(random: Random): Doc {
  const flag = random.chance(0.6) ? 1 : 0;
  const chosen = new Set(random.list(2, () => random.pick(['a', 'b', 'n.x', 'docs.x', 'list', 'n.missing'])));
  chosen.add(random.pick(['a', 'c', 'docs.y', 'n.y']));
  const projection: Doc = Object.fromEntries([...chosen].map(path => [path, new Int32(flag)]));
  if (random.chance(0.3)) projection['_id'] = new Int32(0);
  return projection;
}

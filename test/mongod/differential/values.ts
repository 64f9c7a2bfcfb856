import { Binary, Decimal128, Double, Int32, Long, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import type { Random } from './random.ts';

export type Doc = Record<string, unknown>;

/**
 * Values out of a small world, so that questions hit: few fields, few numbers, each number in several types, and
 * every type next to every other.
 */
const fields = ['a', 'b', 'c'] as const;

export const paths = ['a', 'b', 'c', 'n.x', 'n.y', 'list', 'list.0', 'docs.x', 'docs.y', 'docs.0.x', 'missing'] as const;

export function makeDocument(random: Random, id: number): Doc {
  const document: Doc = { _id: new Int32(id) };
  for (const field of fields) if (random.chance(0.8)) document[field] = makeValue(random);
  if (random.chance(0.6)) document['n'] = makeNested(random);
  if (random.chance(0.6)) document['list'] = random.list(4, () => makeScalar(random));
  if (random.chance(0.5)) document['docs'] = random.list(3, () => makeNested(random));
  return document;
}

export function makeValue(random: Random): unknown {
  return random.weighted<unknown>(
    [12, () => makeScalar(random)],
    [2, () => random.list(3, () => makeScalar(random))],
    [1, () => makeNested(random)],
    [0.5, () => random.list(2, () => random.list(2, () => makeScalar(random)))],
  );
}

export function makeNested(random: Random): Doc {
  const names = random.chance(0.8) ? ['x', 'y'] : ['y', 'x'];
  return Object.fromEntries(names.filter(() => random.chance(0.8)).map(name => [name, makeScalar(random)]));
}

export function makeScalar(random: Random): unknown {
  return random.weighted<unknown>(
    [8, () => makeNumber(random)],
    [5, () => random.pick(['', 'a', 'A', 'b', 'ab', 'abc', 'B', 'é', '1', 'zz'])],
    [2, () => null],
    [1.5, () => random.chance(0.5)],
    [1, () => new Date(Date.UTC(2020, random.below(3), 1))],
    [0.7, () => new ObjectId(`64000000000000000000000${random.below(3)}`)],
    [0.3, () => new Binary(new Uint8Array(random.list(2, () => random.below(3))))],
    [0.2, () => new Timestamp({ t: 1 + random.below(2), i: random.below(2) })],
    [0.15, () => random.pick([new MinKey(), new MaxKey()])],
  );
}

export function makeNumber(random: Random): unknown {
  return random.weighted<unknown>(
    [10, () => new Int32(random.below(7) - 2)],
    [2, () => Long.fromNumber(random.below(7) - 2)],
    [3, () => new Double(random.pick([-1.5, 0.5, 1, 1.5, 2, 3.25]))],
    [0.6, () => Decimal128.fromString(random.pick(['1', '1.5', '2.0', '-3', '0']))],
    [0.2, () => new Double(random.pick([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -0]))],
    [0.2, () => random.pick([new Int32(2147483647), Long.fromString('9007199254740993'), new Double(1e20)])],
  );
}

export const makeInt = (random: Random, least: number, most: number) => new Int32(least + random.below(most - least + 1));

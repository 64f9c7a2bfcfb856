/**
 * MongoDB's order of types as the brackets of every order here (SEMANTICS §5), as values of sort keys and
 * as conditions on one field. Comparisons in MongoDB match values of their own type alone, so a condition on a
 * bracket is an interval of an index.
 */
import { Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { type Exact, parseExact } from '../../../../shared/wire/exact-numbers.ts';
import { ranks, type ScalarKind, type SortValue } from '../../../../shared/wire/values.ts';
import { leastMs, toDate } from './far-dates.ts';

/** The operand of one field in a filter. */
export type Operand = Readonly<Record<string, unknown>>;

/** Types that are in no order: an array is in its index once for each element, and the rest compares in its own ways. */
const oddTypes = [
  'object', 'array', 'binData', 'timestamp', 'regex', 'javascript', 'javascriptWithScope', 'minKey', 'maxKey', 'dbPointer',
  'symbol',
] as const;

const oddBesideBytes = oddTypes.filter((type) => type !== 'binData');

/** Types that have no place in the walk over a field of this kind: bytes are asked for by equality, so they need no order. */
export function oddTypesOf(kind: ScalarKind): readonly string[] {
  return kind === 'binary' ? oddBesideBytes : oddTypes;
}

/** The brackets that an index walk meets, ascending. */
const walked = [ranks.null, ranks.number, ranks.string, ranks.objectId, ranks.boolean, ranks.instant] as const;

/** `other`: an odd value, which stands between strings and object ids and has no order inside. */
export function toSortKey(value: unknown): SortValue {
  if (value === null || value === undefined) return { rank: ranks.null, value: 0 };
  if (typeof value === 'string') return { rank: ranks.string, value };
  if (typeof value === 'boolean') return { rank: ranks.boolean, value: value ? 1 : 0 };
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? { rank: ranks.other, value: 0 } : { rank: ranks.instant, value: value.toISOString() };
  }
  if (value instanceof ObjectId) return { rank: ranks.objectId, value: value.toHexString() };
  const number = toExact(value);
  return number === undefined ? { rank: ranks.other, value: 0 } : { rank: ranks.number, value: number };
}

function toExact(value: unknown): Exact | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (value instanceof Int32 || value instanceof Double) return toExact(value.valueOf());
  const isExact = (value instanceof Long && !(value instanceof Timestamp)) || value instanceof Decimal128;
  return isExact ? parseExact(value.toString()) : undefined;
}

/** A sort value as a document holds it. */
export function toOperand({ rank, value }: SortValue): unknown {
  if (rank === ranks.null) return null;
  if (rank === ranks.boolean) return value === 1;
  if (rank === ranks.instant) return toDate(value);
  if (rank === ranks.number) return typeof value === 'number' ? value : Decimal128.fromString(value);
  return rank === ranks.objectId ? ObjectId.createFromHexString(String(value)) : value;
}

/** NaN is the least number, and no comparison but equality finds it. */
const notANumber: Operand = { $eq: Number.NaN };
const anyNumber: Operand = { $gte: Number.NEGATIVE_INFINITY };

const whole: Readonly<Record<number, readonly Operand[]>> = {
  [ranks.null]: [{ $eq: null }],
  [ranks.number]: [notANumber, anyNumber],
  [ranks.string]: [{ $gte: '' }],
  [ranks.objectId]: [{ $gte: ObjectId.createFromHexString('0'.repeat(24)) }],
  [ranks.boolean]: [{ $gte: false }],
  [ranks.instant]: [{ $gte: toDate(leastMs) }],
};

/** What comes strictly after a value: the rest of its own bracket, then each bracket behind it. */
export function beyond(at: SortValue, descending: boolean): readonly { readonly rank: number; readonly operand: Operand }[] {
  const isBehind = (rank: number) => (descending ? rank < at.rank : rank > at.rank);
  const others = walked.filter(isBehind).flatMap((rank) => (whole[rank] ?? []).map((operand) => ({ rank, operand })));
  if (at.rank === ranks.null || at.rank === ranks.other) return others;
  if (at.rank === ranks.number && at.value === 'NaN') return [...(descending ? [] : [{ rank: at.rank, operand: anyNumber }]), ...others];
  const rest = [
    { rank: at.rank, operand: { [descending ? '$lt' : '$gt']: toOperand(at) } },
    ...(descending && at.rank === ranks.number ? [{ rank: at.rank, operand: notANumber }] : []),
  ];
  return [...rest, ...others];
}

/** Values that a database counted, as answers show them. */
import { toLong } from '../../shared/wire/shown-numbers.ts';
import { type Json, ranks, type ScalarKind, type SortValue } from '../../shared/wire/values.ts';
import { toDecimal, toText } from './decimal.ts';

export const nothing: SortValue = { rank: ranks.null, value: 0 };

/** Numbers as the decimals that they are shown as; what JSON cannot show is null. */
export function toShown(value: SortValue): SortValue {
  if (value.rank === ranks.other) return nothing;
  if (value.rank !== ranks.number || Number.isSafeInteger(value.value)) return value;
  const number = toDecimal(value.value);
  return number === undefined ? nothing : { rank: ranks.number, value: toText(number) };
}

/** By the table of types (SEMANTICS §4). */
export function toJson({ rank, value }: SortValue, kind: ScalarKind): Json {
  if (rank === ranks.null) return null;
  if (rank === ranks.boolean) return value === 1;
  if (rank !== ranks.number) return value;
  const number = toDecimal(value);
  if (number === undefined) return null;
  const text = toText(number);
  if (kind === 'decimal') return text;
  return kind === 'long' ? (toLong(text) ?? text) : toPlain(text);
}

/** A number where that says the same. */
function toPlain(text: string): number | string {
  const number = Number(text);
  const shown = Number.isFinite(number) ? toDecimal(number) : undefined;
  return shown !== undefined && toText(shown) === text && (!Number.isInteger(number) || Number.isSafeInteger(number)) ? number : text;
}

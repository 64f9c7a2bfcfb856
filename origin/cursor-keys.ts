/**
 * The sort values that a cursor has. A text that would make it longer than its reader takes is named by its digest; whoever goes
 * on from there finds the text where the page ended, in the document whose id is the last of the values (SEMANTICS §5).
 */
import { limits } from '../shared/wire/limits.ts';
import { ranks, type SortValue } from '../shared/wire/values.ts';

/** Of a text, which it stands for. */
export interface Digest {
  readonly digest: string;
}

export type CursorKey = SortValue | Digest;

export function areWhole(keys: readonly CursorKey[]): keys is readonly SortValue[] {
  return keys.every((key) => !('digest' in key));
}

/** Digests in place of long texts; the id stays. */
export function withDigests(keys: readonly CursorKey[]): readonly CursorKey[] {
  return keys.map((key, index) => (index < keys.length - 1 && isLongText(key) ? { digest: digestOf(key.value) } : key));
}

/** Whether a digest may stand in its place. */
export function isLongText(key: CursorKey): key is { readonly rank: number; readonly value: string } {
  return 'value' in key && key.rank === ranks.string && typeof key.value === 'string' && key.value.length > limits.idCharactersMax;
}

export function isOfDigest(value: unknown, { digest }: Digest): value is string {
  return typeof value === 'string' && digestOf(value) === digest;
}

function digestOf(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('base64url');
}

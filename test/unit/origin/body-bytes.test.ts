/** Pieces of text become the very bytes that their join has. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { toBytes } from '../../../origin/documents/body-bytes.ts';

const naive = (pieces: readonly string[]) => new TextEncoder().encode(pieces.join(''));

test('whatever letters they hold, and however many pieces there are', () => {
  const piece = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', '{"id":"ä"}', '–\u{1f600}'.repeat(50)));
  fc.assert(fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => expect(toBytes(pieces)).toEqual(naive(pieces))));
});

test.each([87_380, 87_381, 87_382, 400_000])('of %d letters of three bytes', (letters) => {
  const pieces = ['€'.repeat(letters - 1), '€'];
  expect(Buffer.compare(toBytes(pieces), naive(pieces))).toBe(0);
});

test('bytes given out stay as they are', () => {
  const first = toBytes(['first']);
  toBytes(['second']);
  expect(first).toEqual(naive(['first']));
});

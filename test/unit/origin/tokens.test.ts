import { describe, expect, test } from 'bun:test';
import { Fault } from '../../../shared/wire/fault.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { ranks } from '../../../shared/wire/values.ts';
import { areWhole } from '../../../origin/cursor-keys.ts';
import { mustCursor, signCursor, signPosition, verifyPosition } from '../../../origin/tokens.ts';

const secret = (byte: number) => Buffer.alloc(32, byte).toString('base64url');
const keys = mustKeyRing(`new:${secret(1)},old:${secret(2)}`);
const [newKey, oldKey] = [keys[0], keys[1] ?? keys[0]];
const cursor = {
  keys: [
    { rank: 1, value: 1980 },
    { rank: 2, value: 'Airplane! – 𝄞' },
    { rank: 2, value: 'id.with.dots' },
  ],
  backwards: true,
};

describe('a cursor', () => {
  test('is not made of a number that would come back as another value', () => {
    expect(() => signCursor({ keys: [{ rank: 1, value: Number.POSITIVE_INFINITY }], backwards: false }, 'q', newKey)).toThrow('Infinity');
  });

  test('comes back as it was, also when an older key of the ring signed it', () => {
    expect(mustCursor(signCursor(cursor, 'films query', newKey), 'films query', keys)).toEqual(cursor);
    expect(mustCursor(signCursor(cursor, 'films query', oldKey), 'films query', keys)).toEqual(cursor);
  });

  test.each(['other query', 'films query ', ''])('of one query is refused for %p', (other) => {
    expect(() => mustCursor(signCursor(cursor, 'films query', newKey), other, keys)).toThrow(Fault);
  });

  test('says nothing to whoever holds it but about how long it is, and says it in one way', () => {
    const token = signCursor(cursor, 'q', newKey);
    const read = token.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(read.join()).not.toMatch(/1980|Airplane|dots/);
    expect(signCursor(cursor, 'q', newKey)).toBe(token);
    const another = signCursor({ ...cursor, keys: [{ rank: 1, value: 1981 }, ...cursor.keys.slice(1)] }, 'q', newKey);
    expect(another).toHaveLength(token.length);
    expect(another.slice(0, 12)).not.toBe(token.slice(0, 12));
    for (const more of [`${token}.`, `${token}=`, `!${token}`, token.replace('.', '!.'), `${token}.x`, token.replace('.', '')]) {
      expect(() => mustCursor(more, 'q', keys)).toThrow('cursor_invalid');
    }
  });

  test('is never longer than whoever reads it takes: long texts are named by digests, and nothing stands for a long id', () => {
    const text = (length: number) => ({ rank: ranks.string, value: '映'.repeat(length) });
    const id = { rank: ranks.string, value: 'a' };
    for (const length of [1, 128, 480, 500, 1_000, 100_000]) {
      const keys = [text(length), { rank: ranks.number, value: 1 }, text(length), id];
      const token = signCursor({ keys, backwards: false }, 'q', newKey);
      expect(token.length).toBeLessThanOrEqual(limits.cursorCharactersMax);
      expect(mustCursor(token, 'q', [newKey]).keys[1]).toEqual({ rank: ranks.number, value: 1 });
      expect(areWhole(mustCursor(token, 'q', [newKey]).keys)).toBe(length <= 128);
    }
    expect(() => signCursor({ keys: [id, text(1_000)], backwards: false }, 'q', newKey)).toThrow('query_not_served');
  });

  test('changed in any character is refused', () => {
    const token = signCursor(cursor, 'q', newKey);
    for (let index = 0; index < token.length; index++) {
      const changed = token.slice(0, index) + (token[index] === 'A' ? 'B' : 'A') + token.slice(index + 1);
      expect(() => mustCursor(changed, 'q', keys)).toThrow('cursor_invalid');
    }
  });
});

describe('a position token', () => {
  const position = { epoch: '0123456789abcdef', order: '0000000000010a0b0c0d' };

  test('is believed with our MAC alone', () => {
    const token = signPosition(position, newKey);
    expect(verifyPosition(token, keys)).toEqual({ position, stream: undefined });
    expect(verifyPosition(token.replace('0001', '0009'), keys)).toBeUndefined();
    for (const bad of ['', '.', 'x', '0123456789abcdef.0000000000010a0b0c0d', '0123456789abcdef.0000000000010a0b0c0d.']) {
      expect(verifyPosition(bad, keys)).toBeUndefined();
    }
  });
});

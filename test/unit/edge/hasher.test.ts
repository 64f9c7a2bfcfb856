/** The edge's hashes beside those of Bun, which are BoringSSL's. */
import { expect, test } from 'bun:test';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { Macs } from '../../../edge/origin-client/macs.ts';
import { toHasher } from '../../support/hasher.ts';

const lengths = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 16_300, max: 16_500 }), fc.integer({ min: 0, max: 70_000 }));

test('a MAC is the one of RFC 2104, of any text under any key, and a digest that of FIPS 180-4', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), lengths, fc.constantFrom('x', 'é', '✓', '😀'), (keyBytes, length, letter) => {
      const hasher = toHasher();
      const secret = randomBytes(keyBytes);
      const text = letter.repeat(length / letter.length) + String(length);
      const key = hasher.addKey(secret);
      const mac = createHmac('sha256', secret).update(text).digest();
      expect(Buffer.from(hasher.mac(key, text))).toEqual(mac);
      expect(hasher.macText(key, text)).toBe(mac.toString('base64'));
      const bytes = Buffer.from(text);
      const digest = createHash('sha256').update(bytes).digest();
      expect(Buffer.from(hasher.digest(bytes))).toEqual(digest);
      expect(hasher.digestText(bytes)).toBe(digest.toString('base64'));
    }),
    { numRuns: 60 },
  );
});

test('keys are told apart, and what is no key is not taken', () => {
  const hasher = toHasher();
  const [one, other] = [hasher.addKey(new Uint8Array(32).fill(1)), hasher.addKey(new Uint8Array(32).fill(2))];
  expect(hasher.mac(one, 'text')).not.toEqual(hasher.mac(other, 'text'));
  expect(() => hasher.mac((other + 1) as typeof other, 'text')).toThrow('used wrongly');
  expect(() => hasher.mac(0 as typeof one, 'text')).toThrow('used wrongly');
  for (let more = 2; more < 16; more++) hasher.addKey(new Uint8Array(32));
  expect(() => hasher.addKey(new Uint8Array(32))).toThrow('used wrongly');
});

const secret = (byte: number) => Buffer.alloc(32, byte).toString('base64url');
const macs = () => new Macs(mustKeyRing(`k2:${secret(2)},k1:${secret(1)}`), toHasher());

test('every key of the ring verifies, the first one signs, and no bit of a MAC may differ', () => {
  const ring = macs();
  const mac = ring.sign('text');
  expect(ring.signingKeyId).toBe('k2');
  expect(Buffer.from(mac)).toEqual(createHmac('sha256', Buffer.alloc(32, 2)).update('text').digest());
  expect(ring.signText('text')).toBe(mac.toBase64());
  expect(ring.verify('k2', 'text', mac.toBase64())).toBe(true);
  expect(ring.verify('k1', 'text', mac.toBase64())).toBe(false);
  expect(ring.verify('k3', 'text', mac.toBase64())).toBe(false);
  expect(ring.verify('k2', 'text', mac.subarray(0, 31).toBase64())).toBe(false);
  expect(ring.verify('k2', 'text', mac.toBase64().slice(0, -1))).toBe(false);
  for (let bit = 0; bit < 256; bit++) {
    const other = mac.slice();
    other[bit >> 3] = (other[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(ring.verify('k2', 'text', other.toBase64())).toBe(false);
  }
  const older = new Uint8Array(createHmac('sha256', Buffer.alloc(32, 1)).update('text').digest());
  expect(ring.verify('k1', 'text', older.toBase64())).toBe(true);
  expect(ring.verifyTruncated('text', older.subarray(0, 16))).toBe(true);
  expect(ring.verifyTruncated('texts', older.subarray(0, 16))).toBe(false);
});

test('a ring of more keys than a rotation has, or of longer ones, is refused', () => {
  const ring = (count: number, text: string) => Array.from({ length: count }, (_, index) => `k${index}:${text}`).join();
  expect(mustKeyRing(ring(16, secret(1)))).toHaveLength(16);
  expect(() => mustKeyRing(ring(17, secret(1)))).toThrow('has more than 16 keys');
  const long = (bytes: number) => Buffer.alloc(bytes, 1).toString('base64url');
  expect(new Macs(mustKeyRing(ring(16, long(1_024))), toHasher()).sign('text')).toHaveLength(32);
  expect(() => mustKeyRing(ring(1, long(1_025)))).toThrow('key "k0" has 1025 bytes; 1024 at most');
});

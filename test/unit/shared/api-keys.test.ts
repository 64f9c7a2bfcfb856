/** The text of an API key, its scopes and its networks, each beside an obvious one. */
import { describe, expect, test } from 'bun:test';
import { BlockList, isIP } from 'node:net';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { idInKey, isLikeApiKey, isWhole, toKeyId, toKeyText } from '../../../shared/api-keys/key-text.ts';
import { isInNetwork, parseAddress, parseNetwork } from '../../../shared/api-keys/networks.ts';
import { mustBeInScope } from '../../../shared/api-keys/scopes.ts';
import { isSafe } from '../../../shared/operations/operation.ts';
import { operationsOf } from '../../../shared/operations/route.ts';
import { served } from '../../../shared/resources/all.ts';

const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('the text of a key', () => {
  test('has its id, and the CRC-32 of the rest in base 62', () => {
    for (let count = 0; count < 200; count++) {
      const id = toKeyId(Date.now(), randomBytes);
      const text = toKeyText(id, randomBytes);
      const value = [...text.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
      expect([text.length, isLikeApiKey(text), idInKey(text), isWhole(text)]).toEqual([77, true, id, true]);
      expect(value).toBe(crc32(text.slice(0, -6)));
    }
  });

  test('is not whole with any one character changed, or two neighbours exchanged', () => {
    const text = toKeyText(toKeyId(Date.now(), randomBytes), randomBytes);
    for (let at = 4; at < text.length; at++) {
      for (const digit of digits) if (digit !== text[at]) expect(isWhole(text.slice(0, at) + digit + text.slice(at + 1))).toBe(false);
      const [left = '', right = ''] = text.slice(at, at + 2);
      if (left !== right && right !== '') expect(isWhole(text.slice(0, at) + right + left + text.slice(at + 2))).toBe(false);
    }
  });

  test('has every letter as often as any other', () => {
    const counts = new Map<string, number>();
    for (let count = 0; count < 500; count++) {
      for (const digit of toKeyText('0'.repeat(24), randomBytes).slice(28, -6)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
    }
    // 21 500 letters, 347 of each: six standard deviations are 111.
    for (const digit of digits) expect(Math.abs((counts.get(digit) ?? 0) - 347)).toBeLessThan(112);
  });

  test('stands in the order of its making by its id', () => {
    const ids = [1_000, 2_000, Date.now(), Date.now() + 1_000].map((now) => toKeyId(now, randomBytes));
    expect(ids.toSorted()).toEqual(ids);
    expect(ids.every((id) => /^[0-9a-f]{24}$/.test(id))).toBe(true);
  });
});

const v4 = fc.ipV4();
const v6 = fc.ipV6();
const mapped = v4.map((address) => `::ffff:${address}`);

test('an address is what the platform takes for one, and no more', () => {
  const odd = fc.constantFrom('', '1.2.3', '1.2.3.4.5', '01.2.3.4', '256.1.1.1', '1.2.3.4 ', ':', '::', ':::', '1::2::3', '::1%eth0',
    '12345::', 'g::', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::', '::2:3:4:5:6:7:8', '1:2:3:4:5:6:1.2.3.4',
    '1.2.3.4::', '::1.2.3', '::1.2.3.400', '1::1.2.3.4:5');
  const near = fc.string({ unit: fc.constantFrom(...'0123456789abf:.'), maxLength: 20 });
  fc.assert(fc.property(fc.oneof(v4, v6, mapped, odd, near), (text) => {
    expect([text, parseAddress(text) !== undefined]).toEqual([text, isIP(text) !== 0 && !text.includes('%')]);
  }), { numRuns: 5_000 });
});

test('an address is in a network where the platform says so', () => {
  const network = fc.oneof(fc.tuple(v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, fc.integer({ min: 0, max: 128 })));
  fc.assert(fc.property(network, fc.oneof(v4, v6), fc.boolean(), ([host, bits], other, isNear) => {
    const list = new BlockList();
    list.addSubnet(host, bits, isIP(host) === 6 ? 'ipv6' : 'ipv4');
    const address = isNear ? host : other;
    const found = parseNetwork(`${host}/${bits}`);
    const given = parseAddress(address);
    if (found === undefined || given === undefined) throw new Error(`not read: ${host}/${bits} or ${address}`);
    // The platform's list tells an IPv4 address from the IPv6 network that all mapped ones are in.
    if (isIP(host) !== isIP(address)) return;
    const isListed = list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
    expect([address, host, bits, isInNetwork(given, found)]).toEqual([address, host, bits, isListed]);
  }), { numRuns: 5_000 });
  const isIn = (address: string, text: string) => isInNetwork(parseAddress(address) ?? [], parseNetwork(text) ?? { address: [], bits: 0 });
  expect(isIn('::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true);
  expect(isIn('10.1.2.3', '::ffff:10.0.0.0/104')).toBe(true);
  expect(isIn('10.1.2.3', '2001:db8::/32')).toBe(false);
});

test.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/8/8', '::/129', '/8', '10.0.0.0/-1', '10.0.0.0/8 ', 'fe80::1%1/64'])(
  '%s is no network',
  (text) => expect(parseNetwork(text)).toBeUndefined(),
);

test('a key asks for what one of its scopes says, and for nothing else', () => {
  const asked = [...served.resources.values()].flatMap((resource) => operationsOf(resource).map((operation) => ({ resource, operation })));
  const names = [...new Set(asked.map(({ operation }) => operation.name)), 'read', 'write', '*'];
  const scope = fc.tuple(fc.constantFrom('*', ...served.resources.keys()), fc.constantFrom(...names));
  fc.assert(fc.property(fc.array(scope, { maxLength: 4 }), fc.constantFrom(...asked), (scopes, { resource, operation }) => {
    const naive = scopes.some(([name, what]) => {
      const isOfResource = name === '*' ? true : name === resource.name;
      switch (what) {
        case '*': return isOfResource;
        case 'read': return isOfResource && isSafe(operation);
        case 'write': return isOfResource && !isSafe(operation);
        default: return isOfResource && what === operation.name;
      }
    });
    const key = { id: 'a', scopes: scopes.map((parts) => parts.join(':')) };
    const ask = () => mustBeInScope({ subject: 'ada', roles: [], claims: {}, key }, { resource, operation });
    if (naive) expect(ask).not.toThrow();
    else expect(ask).toThrow('key_restricted');
  }), { numRuns: 3_000 });
});

test('an operation that has the name of several is none of them', () => {
  const key = { id: 'a', scopes: ['films:read'] };
  const effect = { resource: { name: 'films' }, operation: { name: 'read', answers: 'effect' } } as const;
  expect(() => mustBeInScope({ subject: 'ada', roles: [], claims: {}, key }, effect)).toThrow('key_restricted');
});

import { expect, test } from 'bun:test';
import { floodKey } from '../../../edge/rate-limit/flood-key.ts';

test('an IPv4 address counts for itself, an IPv6 address for its /64, however it is written', () => {
  expect(floodKey('192.0.2.7')).toBe('192.0.2.7');
  expect(floodKey('::ffff:192.0.2.7')).toBe('192.0.2.7');
  for (const address of ['2001:db8::1', '2001:0db8:0:0:ffff::', '2001:DB8:0:0:1:2:3:4', '2001:db8::ffff:1:2:3']) {
    expect(floodKey(address)).toBe('2001:db8:0:0::/64');
  }
  expect(floodKey('2001:db8:0:1::1')).toBe('2001:db8:0:1::/64');
  expect(floodKey('::1')).toBe('0:0:0:0::/64');
  expect(floodKey('fe80::1')).not.toBe(floodKey('fe80:0:0:1::1'));
});

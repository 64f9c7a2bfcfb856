import { expect, test } from 'bun:test';
import { compareVersions, unmetReason } from './requirements.ts';
import type { ServerFacts } from './target.ts';

const facts: ServerFacts = { version: '7.0.4', topology: 'replicaset', auth: false, parameters: {} };

test('versions compare by number and a part left out is zero', () => {
  expect(compareVersions('4.10', '4.9.9')).toBeGreaterThan(0);
  expect(compareVersions('4.2', '4.2.0')).toBe(0);
  expect(compareVersions('6.0.0-rc1', '6.0.1')).toBeLessThan(0);
});

test('one requirement that holds is enough', () => {
  expect(unmetReason([{ minServerVersion: '8.0' }, { topologies: ['replicaset'] }], facts)).toBeUndefined();
  expect(unmetReason(undefined, facts)).toBeUndefined();
});

test('a requirement that does not hold is named', () => {
  expect(unmetReason([{ minServerVersion: '8.0' }], facts)).toContain('8.0 or newer');
  expect(unmetReason([{ maxServerVersion: '4.4.99' }], facts)).toContain('4.4.99 or older');
  expect(unmetReason([{ auth: true }], facts)).toContain('authentication');
  expect(unmetReason([{ serverless: 'require' }], facts)).toContain('serverless');
});

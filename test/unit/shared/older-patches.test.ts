/** JSON Patches and operators of older versions: translated, or refused by name (SEMANTICS §19). */
import { describe, expect, test } from 'bun:test';
import type { PatchOperation } from '../../../shared/changes/json-patch.ts';
import { upJsonPatch } from '../../../shared/versions/json-patch.ts';
import { downOperatorPointer, upChanges } from '../../../shared/versions/operators.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { through } from '../../support/three-versions.ts';

describe('operators of an older version', () => {
  const said = (version: string, body: JsonObject) => {
    try {
      return upChanges(body, through(version));
    } catch (thrown) {
      if (thrown instanceof Fault) return thrown.errors.map(({ at, detail }) => `${at}: ${detail}`).join();
      throw thrown;
    }
  };

  test.each<[string, JsonObject, JsonObject | string]>([
    ['v1', { set: { thumbnail: 'u', minutes: 2 }, increment: { '/width': 3 } }, {
      set: { 'image.url': 'u', seconds: 120 }, increment: { '/image/width': 3 },
    }],
    ['v2', { append: { lines: [{ name: 'n', cost: 3 }] }, unset: { minutes: true } }, {
      append: { lines: [{ name: 'n', price: { amount: 3 } }] }, unset: { seconds: true },
    }],
    ['v2', { increment: { '/lines/0/cost': 1 } }, { increment: { '/lines/0/price/amount': 1 } }],
    ['v2', { increment: { minutes: 1 } }, '/increment/minutes: is of another form in the current version; send a merge patch'],
    ['v2', { removeWhere: { lines: { cost: 1 } } }, '/removeWhere/lines: is of another form in the current version; send a merge patch'],
    ['v2', { addToSet: { lines: [{ name: 'n', tax: 1 }] } }, '/addToSet/lines/0/tax: unknown field'],
    ['v1', { set: { 'image.url': 'u' } }, '/set/image.url: unknown field'],
  ])('in %s, %j is %j', (version, body, now) => {
    expect(said(version, body)).toEqual(now);
  });
});

test.each([
  ['/set/image.url', '/set/thumbnail'], ['/increment/~1image~1width', '/increment/~1width'], ['/set/title', '/set/title'],
  ['/append/lines/0/name', '/append/lines/0/name'], ['/image/url', '/image/url'],
])('what is wrong at %s of operators is told of %s', (now, old) => {
  expect(downOperatorPointer(now, through('v1'))).toBe(old);
});

describe('a JSON Patch of an older version', () => {
  const up = (version: string, operation: PatchOperation) => upJsonPatch([operation], through(version))[0];
  const said = (version: string, operation: PatchOperation) => {
    try {
      return up(version, operation);
    } catch (thrown) {
      if (thrown instanceof Fault) return thrown.errors.map(({ at, detail }) => `${at}: ${detail}`).join();
      throw thrown;
    }
  };

  test.each<[string, PatchOperation, JsonObject]>([
    ['v1', { op: 'replace', path: '/thumbnail', value: 'u' }, { op: 'replace', path: '/image/url', value: 'u' }],
    ['v1', { op: 'remove', path: '/width' }, { op: 'remove', path: '/image/width' }],
    ['v1', { op: 'replace', path: '/minutes', value: 2 }, { op: 'replace', path: '/seconds', value: 120 }],
    ['v2', { op: 'test', path: '/minutes', value: 2 }, { op: 'test', path: '/seconds', value: 120 }],
    ['v2', { op: 'add', path: '/a', value: null }, { op: 'add', path: '/b', value: null }],
    ['v2', { op: 'move', from: '/a', path: '/b' }, { op: 'move', from: '/b', path: '/a' }],
    ['v2', { op: 'replace', path: '/lines/1/cost', value: 3 }, { op: 'replace', path: '/lines/1/price/amount', value: 3 }],
    ['v2', { op: 'add', path: '/lines/-', value: { name: 'n', cost: 3 } }, {
      op: 'add', path: '/lines/-', value: { name: 'n', price: { amount: 3 } },
    }],
    ['v2', { op: 'move', from: '/lines/1', path: '/lines/0' }, { op: 'move', from: '/lines/1', path: '/lines/0' }],
    ['v2', { op: 'copy', from: '/title', path: '/free/a' }, { op: 'copy', from: '/title', path: '/free/a' }],
    ['v1', { op: 'test', path: '/rev', value: 3 }, { op: 'test', path: '/rev', value: 3 }],
  ])('in %s, %j is %j', (version, operation, now) => {
    expect(up(version, operation)).toEqual({ ...now });
  });

  test.each<[string, PatchOperation, string]>([
    ['v1', { op: 'add', path: '/thumbnail', value: 'u' },
      '/0/path: stands in an object of the current version that may not be there; send a merge patch'],
    ['v2', { op: 'add', path: '/meta/kind', value: 'k' },
      '/0/path: stands in an object of the current version that may not be there; send a merge patch'],
    ['v1', { op: 'replace', path: '/image/url', value: 'u' }, '/0/path: unknown field'],
    ['v2', { op: 'remove', path: '/note' }, '/0/path: unknown field'],
    ['v2', { op: 'replace', path: '/lines/0', value: { name: 'n', tax: 1 } }, '/0/value/tax: unknown field'],
    ['v2', { op: 'replace', path: '/minutes', value: 'x' }, '/0/value: Invalid input: expected number, received string'],
    ['v2', { op: 'copy', from: '/minutes', path: '/title' },
      '/0/from: is of another form there in the current version; send a merge patch'],
    ['v2', { op: 'replace', path: '/meta', value: {} }, '/0/path: is several places in the current version; send a merge patch'],
    ['v1', { op: 'test', path: '', value: {} },
      '/0/path: is a whole document, which is of another form in the current version; send a merge patch'],
  ])('in %s, %j is refused: %s', (version, operation, why) => {
    expect(said(version, operation)).toBe(why);
  });
});

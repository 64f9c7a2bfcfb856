import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { parseRow } from '../../../origin/import/row.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { bodiesOf, mustBody } from '../../../shared/contract/documents.ts';
import { mustPatched } from '../../../shared/contract/patched.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { mergePatch } from '../../../shared/contract/merge-patch.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { mustRoute } from '../../../shared/operations/route.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { films } from '../../../shared/resources/films.ts';
import { places } from '../../../shared/resources/places.ts';

function refusal(run: () => unknown): Fault {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
  }
  throw new Error('was not refused');
}

describe('merge patch', () => {
  // RFC 7396, appendix A.
  test.each([
    ['{"a":"b"}', '{"a":"c"}', '{"a":"c"}'], ['{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'], ['{"a":"b"}', '{"a":null}', '{}'],
    ['{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'],
    ['{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'],
    ['{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'],
    ['{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'],
    ['{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'],
    ['["a","b"]', '["c","d"]', '["c","d"]'],
    ['{"a":"b"}', '["c"]', '["c"]'],
    ['{"a":"foo"}', 'null', 'null'],
    ['{"a":"foo"}', '"bar"', '"bar"'],
    ['{"e":null}', '{"a":1}', '{"e":null,"a":1}'],
    ['[1,2]', '{"a":"b","c":null}', '{"a":"b"}'], ['{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'],
  ])('of %p by %p is %p', (target, patch, result) => {
    expect(JSON.stringify(mergePatch(JSON.parse(target) as Json, JSON.parse(patch) as Json))).toBe(result);
  });

  test('reaches no prototype', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}') as Json) as JsonObject;
    expect(Object.getPrototypeOf(merged)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

describe('a body', () => {
  test('that lacks what may be anything is told so by its name', () => {
    const rules = { read: anyone, write: anyone };
    const any = resource({ name: 'any', schema: z.object({ what: z.unknown() }), rules, shapes: { all: {} } });
    expect(refusal(() => mustBody(bodiesOf(any).create, {})).errors).toEqual([{ at: '/what', in: 'body', detail: 'is missing' }]);
  });

  test.each([
    [{ title: 'x' }, '/year'],
    [{ title: 'x', year: '1980' }, '/year'],
    [{ title: 'x', year: 1980, nope: 1 }, '/nope'],
    [{ title: 'x', year: 1980, cast: ['a', 1] }, '/cast/1'],
    [{ title: 'x', year: 1980, rev: 7 }, '/rev'], [{ title: 'x', year: 1980, id: 'mine' }, '/id'], ['text', ''], [null, ''],
  ])('to create from %p is refused at %p', (body, at) => {
    const fault = refusal(() => mustBody(bodiesOf(films).create, body));
    expect(fault.reason).toBe('document_invalid');
    expect(fault.errors.map((error) => error.at)).toContain(at);
  });

  test('names its document where the caller chooses ids, and not by the name of an operation', () => {
    const place = { latitude: 1, longitude: 2, city: 'X', state: 'NY', county: 'Y' };
    expect(mustBody(bodiesOf(places).create, { ...place, id: '00501' })['id']).toBe('00501');
    expect(refusal(() => mustBody(bodiesOf(places).create, place)).errors[0]?.at).toBe('/id');
    expect(refusal(() => mustBody(bodiesOf(places).create, { ...place, id: '501' })).errors[0]?.at).toBe('/id');
  });

  test('to replace may be the document as it was read', () => {
    const read = {
      id: 'x', title: 'A', year: 1980, cast: [], genres: [], rev: 3, createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    };
    expect(() => mustBody(bodiesOf(films).replace, read)).not.toThrow();
  });
});

describe('a patched document', () => {
  test('keeps the type of what the patch does not name, even where another program broke it', () => {
    const stored = { title: 'A', year: '1980', genres: 'Comedy' };
    expect(mustPatched(films, stored, { title: 'B' })).toEqual({ title: 'B', year: '1980', genres: 'Comedy' });
  });

  test('is refused for what the patch names', () => {
    expect(refusal(() => mustPatched(films, { title: 'A', year: 1980 }, { year: null })).errors[0]?.at).toBe('/year');
    expect(refusal(() => mustPatched(films, { title: 'A', year: 1980 }, { year: 12 })).errors[0]?.at).toBe('/year');
  });
});

describe('nesting', () => {
  const loose = resource({ name: 'loose', schema: z.object({ tree: z.object({}).loose(), any: z.unknown() }), shapes: {} });
  const nested = (levels: number): JsonObject => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as JsonObject;

  test('has a bound in fields that take anything, which is told by the name of the field', () => {
    for (const levels of [65, 1_001, 100_000]) {
      expect(refusal(() => mustBody(bodiesOf(loose).patch, { tree: nested(levels) })).errors[0]?.at).toBe('/tree');
      expect(refusal(() => mustBody(bodiesOf(loose).create, { tree: {}, any: [nested(levels)] })).errors[0]?.at).toBe('/any');
      expect(refusal(() => mustBody(bodiesOf(loose).replace, { tree: nested(levels), any: 1 })).errors[0]?.at).toBe('/tree');
    }
    expect(mustPatched(loose, { tree: {}, any: 1 }, mustBody(bodiesOf(loose).patch, { tree: nested(64) }))).toEqual({
      tree: nested(64),
      any: 1,
    });
  });
});

describe('an id that the caller chooses', () => {
  const free = resource({
    name: 'free',
    id: { kind: 'string', format: z.string() },
    schema: z.object({ n: z.int().optional() }),
    rules: { read: anyone },
    shapes: {},
  });
  const served = contract(free);
  /** The id of a path as a URL's parser leaves it. */
  const named = (id: string) => mustRoute(served, 'GET', new URL(`https://x.test/v1/free/${encodeURIComponent(id)}`).pathname).id;

  test.each(['', '.', '..', 'a/b', 'a\\b', 'a\u0000', '\u007f', 'import', 'changes', 'x'.repeat(129), '\ud800'])(
    'is not %p, which no path can name',
    (id) => {
      expect(refusal(() => mustBody(bodiesOf(free).create, { id })).errors[0]?.at).toBe('/id');
      expect(parseRow({ id }, 1, { resource: free, onDuplicate: 'reject' }).kind).toBe('rejected');
    },
  );

  test('is one that a path names, if a body or an import takes it', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'binary', maxLength: 3 }),
          fc.constantFrom('%', '%2e', '%2F', '?', '#', ' ', 'a b', '...', ';', 'constructor'),
        ),
        (id) => {
          const row = parseRow({ id }, 1, { resource: free, onDuplicate: 'reject' });
          expect(row.kind === 'row').toBe(bodiesOf(free).create.safeParse({ id }).success);
          if (row.kind === 'row') expect(named(id)).toBe(id);
        },
      ),
      { numRuns: 3_000 },
    );
  });
});

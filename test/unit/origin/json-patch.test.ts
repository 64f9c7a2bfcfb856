/** JSON Patch (RFC 6902) of documents that are there: what it changes, what it leaves, and what nobody learns by it (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, owner, role } from '../../../shared/contract/rules.ts';
import { decimal, instant, long } from '../../../shared/contract/types.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const staff = role('staff');
const deals = resource({
  name: 'deals', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    note: z.string().nullable().optional(),
    hits: long().optional(), price: decimal().optional(), at: instant().optional(),
    code: z.string().transform((text) => `h(${text})`).optional(),
    tags: z.array(z.string()).optional(),
    more: z.record(z.string(), z.unknown()).optional(),
    meta: z.object({ by: z.string(), open: z.boolean().optional() }).optional(),
    cost: z.object({ net: z.number(), secret: z.number().optional(), all: z.array(z.number()).optional() }).optional(),
    copy: z.object({ net: z.number().optional(), secret: z.number().optional() }).optional(),
    pin: z.string().optional(),
    parts: z.array(z.object({ sku: z.string(), count: z.int().optional(), note: z.string().optional() })).optional(),
    open: z.array(z.object({ sku: z.string(), note: z.string().optional() })).optional(),
    part: z
      .discriminatedUnion('kind', [
        z.object({ kind: z.literal('bolt'), d: z.number() }), z.object({ kind: z.literal('nut'), size: z.number() }),
      ])
      .optional(),
  }),
  rules: { read: anyone, create: anyone, update: owner('meta.by'), remove: owner('meta.by') },
  fieldRules: {
    'cost.secret': { read: staff, write: staff }, pin: { read: staff }, name: { write: anyone },
    'parts.note': { read: equals('meta.open', true) }, 'meta.by': { write: owner('meta.by') },
  },
  shapes: { all: {} },
});
const kept: JsonObject = { rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };
const stored: JsonObject = {
  name: 'a', meta: { by: 'bob' }, cost: { net: 9, secret: 5 }, pin: '1234', tags: ['x', 'y'],
  parts: [{ sku: 'x', count: 1, note: 'n1' }, { sku: 'y', note: 'n2' }, { sku: 'x', note: 'n3' }],
};
const bob: Principal = { subject: 'bob', roles: [], claims: {} };
const eve: Principal = { subject: 'bob', roles: ['staff'], claims: {} };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(deals))));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function patched(operations: Json, document: JsonObject = stored, asking: DirectAsking = {}) {
    const id = `d${++made}`;
    await origin.put(deals, id, { ...document, ...kept });
    const body = operations as object;
    const answer = await origin.ask('patch', deals, { id, principal: bob, mediaType: 'application/json-patch+json', body, ...asking });
    const { id: _id, rev, createdAt: _createdAt, updatedAt: _updatedAt, ...after } = (await origin.stored(deals, id)) ?? {};
    return { ...answer, after, rev, places: answer.errors.map(({ at, detail }) => `${at}: ${detail}`) };
  }

  /** `undefined`: the member is gone. */
  type Changes = Readonly<Record<string, Json | undefined>>;
  test.each<[string, JsonObject, Json, Changes]>([
    ['adds a member', {}, [{ op: 'add', path: '/note', value: 'n' }], { note: 'n' }],
    ['adds null where null may stand', {}, [{ op: 'add', path: '/note', value: null }], { note: null }],
    ['adds before an element', {}, [{ op: 'add', path: '/tags/1', value: 'b' }], { tags: ['x', 'b', 'y'] }],
    ['adds behind the last', {}, [{ op: 'add', path: '/tags/-', value: 'z' }, { op: 'add', path: '/tags/3', value: 'q' }], {
      tags: ['x', 'y', 'z', 'q'],
    }],
    ['removes', { note: 'n' }, [{ op: 'remove', path: '/note' }, { op: 'remove', path: '/tags/0' }], { note: undefined, tags: ['y'] }],
    ['replaces', {}, [{ op: 'replace', path: '/name', value: 'b' }, { op: 'replace', path: '/tags/1', value: 'z' }], {
      name: 'b', tags: ['x', 'z'],
    }],
    ['moves a member', { note: 'n' }, [{ op: 'move', from: '/note', path: '/name' }], { name: 'n', note: undefined }],
    ['moves an element', {}, [{ op: 'move', from: '/tags/1', path: '/tags/0' }], { tags: ['y', 'x'] }],
    ['moves an element behind the last', {}, [{ op: 'move', from: '/tags/0', path: '/tags/-' }], { tags: ['y', 'x'] }],
    ['copies', {}, [{ op: 'copy', from: '/name', path: '/tags/0' }], { tags: ['a', 'x', 'y'] }],
    ['tests', {}, [{ op: 'test', path: '/meta', value: { by: 'bob' } }, { op: 'add', path: '/note', value: 'n' }], { note: 'n' }],
    ['tests what Tombolo keeps', {}, [{ op: 'test', path: '/rev', value: 1 }, { op: 'copy', from: '/id', path: '/note' }], {
      note: expect.any(String) as never,
    }],
    ['escapes', { more: { 'a/b': 1, 'c~d': 2 } }, [
      { op: 'replace', path: '/more/a~1b', value: 3 }, { op: 'remove', path: '/more/c~0d' }, { op: 'add', path: '/more/', value: 4 },
    ], { more: { 'a/b': 3, '': 4 } }],
    ['puts a whole document', {}, [{ op: 'replace', path: '', value: { name: 'c', meta: { by: 'bob' } } }], {
      name: 'c', tags: undefined,
    }],
    ['passes what it puts through its type once', { code: 'h(x)' }, [
      { op: 'replace', path: '/name', value: 'b' }, { op: 'copy', from: '/code', path: '/code' },
    ], { name: 'b' }],
    ['goes into another branch', { part: { kind: 'bolt', d: 1 } }, [
      { op: 'replace', path: '/part/kind', value: 'nut' }, { op: 'move', from: '/part/d', path: '/part/size' },
    ], { part: { kind: 'nut', size: 1 } }],
    ['keeps every digit', { hits: '9007199254740993', price: '0.10' }, [
      { op: 'add', path: '/hits', value: '9007199254740995' }, { op: 'test', path: '/price', value: '0.10' },
    ], { hits: '9007199254740995' }],
    ['says an instant in its one form', {}, [{ op: 'add', path: '/at', value: '2026-01-01T01:00:00+01:00' }], {
      at: '2026-01-01T00:00:00.000Z',
    }],
    ['leaves alone what others stored wrongly', { part: { kind: 'screw' } }, [{ op: 'add', path: '/name', value: 'b' }], {
      name: 'b',
    }],
  ])('%s', async (_title, more, operations, changed) => {
    const document: JsonObject = { name: 'a', meta: { by: 'bob' }, tags: ['x', 'y'], ...more };
    const { outcome, after, rev, detail } = await patched(operations, document);
    const gone = Object.keys(changed).filter((name) => changed[name] === undefined);
    expect([outcome, detail, rev]).toEqual(['written', undefined, 2]);
    expect(after).toEqual({ ...document, ...changed } as JsonObject);
    expect(gone.filter((name) => Object.hasOwn(after, name))).toEqual([]);
  });

  test('that changes nothing makes no revision', async () => {
    for (const operations of [[], [{ op: 'test', path: '/name', value: 'a' }], [{ op: 'replace', path: '/name', value: 'a' }]]) {
      expect(await patched(operations)).toMatchObject({ outcome: 'written', rev: 1, after: stored });
    }
  });

  test.each<[string, Json, string, string]>([
    ['what is no list', { op: 'add' }, 'document_invalid', ': Invalid input: expected array, received object'],
    ['an operation of another name', [{ op: 'merge', path: '/a' }], 'document_invalid', '/0/op: '],
    ['a value that is not there', [{ op: 'add', path: '/note' }], 'document_invalid', '/0/value: is missing'],
    ['a path that is none', [{ op: 'remove', path: 'note' }], 'document_invalid', '/0/path: must be a JSON Pointer'],
    ['a tilde that escapes nothing', [{ op: 'remove', path: '/a~2' }], 'document_invalid', '/0/path: must be a JSON Pointer'],
    ['a prototype', [{ op: 'add', path: '/more/__proto__/x', value: 1 }], 'document_invalid', '/0/path: names __proto__'],
    ['more operations than are taken', Array.from({ length: limits.patchOperationsMax + 1 }, () => ({ op: 'test', path: '', value: 1 })),
      'document_invalid', ': Too big'],
    ['a place that is not there', [{ op: 'replace', path: '/note', value: 'n' }], 'document_conflict', '/0/path: nothing stands at /note'],
    ['a place in what is not there', [{ op: 'add', path: '/copy/net', value: 1 }], 'document_conflict', '/0/path: nothing stands at /copy'],
    ['a member of what has none', [{ op: 'add', path: '/name/x', value: 1 }], 'document_conflict', '/0/path: no object stands at /name'],
    ['an index behind the end', [{ op: 'add', path: '/tags/3', value: 'z' }], 'document_conflict', '/0/path: nothing stands at /tags/3'],
    ['an index with a zero before', [{ op: 'remove', path: '/tags/01' }], 'document_conflict', '/0/path: nothing stands at /tags/01'],
    ['the element behind the last', [{ op: 'remove', path: '/tags/-' }], 'document_conflict', '/0/path: nothing stands at /tags/-'],
    ['a test that fails', [{ op: 'add', path: '/note', value: 'n' }, { op: 'test', path: '/name', value: 'b' }],
      'document_conflict', '/1/path: is not what the test says'],
    ['a number for its text', [{ op: 'add', path: '/tags/0', value: '1' }, { op: 'test', path: '/tags/0', value: 1 }],
      'document_conflict', '/1/path: is not what the test says'],
    ['a move into what is moved', [{ op: 'move', from: '/meta', path: '/meta/by' }],
      'document_invalid', '/0/path: lies within what is moved'],
    ['the removal of a document', [{ op: 'remove', path: '' }], 'document_invalid', '/0/path: a document is removed by DELETE'],
    ['a document that is none', [{ op: 'add', path: '', value: [] }], 'document_invalid', '/0/path: a document is an object'],
    ['an id', [{ op: 'replace', path: '/id', value: 'x' }], 'document_invalid', '/0/path: id is never written'],
    ['another id in a whole document', [{ op: 'replace', path: '', value: { id: 'x', name: 'a', meta: { by: 'bob' } } }],
      'document_invalid', '/0/path: id is never written'],
    ['what Tombolo keeps', [{ op: 'remove', path: '/rev' }], 'document_invalid', '/0/path: rev is never written'],
    ['a member that is not declared', [{ op: 'add', path: '/nope', value: 1 }], 'document_invalid', '/0/value: unknown field'],
    ['one further in', [{ op: 'add', path: '/tags/-', value: 'z' }, { op: 'add', path: '/parts/0', value: { sku: 'z', nope: 1 } }],
      'document_invalid', '/1/value/nope: unknown field'],
    ['a value of another type', [{ op: 'add', path: '/tags/-', value: 1 }], 'document_invalid', '/0/value: Invalid input: expected string'],
    ['the removal of what must be there', [{ op: 'remove', path: '/name' }], 'document_invalid', '/0/path: /name: Invalid input'],
    ['what a caller may not write', [{ op: 'replace', path: '/meta/by', value: 'eve' }], 'forbidden', '/0/value: not writable'],
    ['what grows without end', [
      { op: 'add', path: '/more', value: { a: 'x'.repeat(1_000) } },
      ...Array.from({ length: 20 }, (_, index) => ({ op: 'copy', from: '/more', path: `/more/${index}` })),
    ], 'document_invalid', `/11/from: a patch copies at most ${limits.patchCopiedCharactersMax} characters`],
    ['what is nested without end', [
      { op: 'add', path: '/more', value: {} },
      ...Array.from({ length: 70 }, () => ({ op: 'copy', from: '/more', path: '/more/a' })),
    ], 'document_invalid', `/64/path: more than ${limits.nestingLevelsMax} levels of nesting`],
  ])('refuses %s, and writes nothing', async (_what, operations, outcome, place) => {
    const answer = await patched(operations);
    expect([answer.outcome, answer.places.join()]).toEqual([outcome, expect.stringContaining(place)] as never);
    expect(answer).toMatchObject({ rev: 1, after: stored });
  });

  test.each<[string, string, JsonObject]>([
    ['tests', '/0/path', { op: 'test', path: '/cost/secret', value: 5 }],
    ['replaces', '/0/path', { op: 'replace', path: '/cost/secret', value: 5 }],
    ['removes', '/0/path', { op: 'remove', path: '/cost/secret' }],
    ['copies', '/0/from', { op: 'copy', from: '/cost/secret', path: '/cost/net' }],
    ['moves', '/0/from', { op: 'move', from: '/cost/secret', path: '/cost/net' }],
    ['goes into', '/0/path', { op: 'add', path: '/cost/secret/x', value: 1 }],
    ['adds', '/0/value', { op: 'add', path: '/cost/secret', value: 5 }],
    ['moves what holds', '/0/from', { op: 'move', from: '/cost', path: '/copy' }],
    ['removes what holds', '/0/path', { op: 'remove', path: '/cost' }],
    ['tests in an element', '/0/path', { op: 'test', path: '/parts/0/note', value: 'n1' }],
    ['copies from an element', '/0/from', { op: 'copy', from: '/parts/0/note', path: '/note' }],
  ])('a patch that %s what its caller may not see is refused alike, whatever stands there', async (_what, place, operation) => {
    for (const [secret, note] of [[5, 'n1'], [6, 'n2'], [undefined, undefined]] as const) {
      const document = JSON.parse(JSON.stringify({ ...stored, cost: { net: 9, secret }, parts: [{ sku: 'x', note }] })) as JsonObject;
      const answer = await patched([operation], document);
      expect([answer.outcome, answer.errors.map(({ at }) => at)]).toEqual(['forbidden', [place]]);
      expect(answer).toMatchObject({ rev: 1, after: document });
    }
  });

  test('a value that may be written and not read is added blindly, and makes a revision whether or not it differs', async () => {
    for (const value of ['1234', '4321']) {
      const answer = await patched([{ op: 'add', path: '/pin', value }]);
      expect(answer).toMatchObject({ outcome: 'written', rev: 2, after: { ...stored, pin: value } });
      expect(answer.json['pin']).toBeUndefined();
      expect((await patched([{ op: 'add', path: '/pin', value }, { op: 'test', path: '/pin', value }])).outcome).toBe('forbidden');
    }
  });

  test('what is not seen stays with its object, and with its element wherever that goes in its array', async () => {
    const answer = await patched([
      { op: 'replace', path: '/cost', value: { net: 10 } },
      { op: 'add', path: '/parts/0', value: { sku: 'new' } },
      { op: 'replace', path: '/parts/1/sku', value: 'y' },
      { op: 'move', from: '/parts/3', path: '/parts/0' },
      { op: 'remove', path: '/parts/2/count' },
    ]);
    expect([answer.outcome, answer.detail]).toEqual(['written', undefined]);
    expect(answer.after).toEqual({
      ...stored, cost: { net: 10, secret: 5 },
      parts: [{ sku: 'x', note: 'n3' }, { sku: 'new' }, { sku: 'y', note: 'n1' }, { sku: 'y', note: 'n2' }],
    });
  });

  test('what is not seen goes nowhere that it could be seen', async () => {
    const copied = await patched([{ op: 'copy', from: '/cost', path: '/copy' }, { op: 'copy', from: '/parts/0', path: '/parts/-' }]);
    expect(copied.after).toEqual({ ...stored, copy: { net: 9 }, parts: [...(stored['parts'] as Json[]), { sku: 'x', count: 1 }] });
    const moved = await patched([{ op: 'add', path: '/open', value: [] }, { op: 'move', from: '/parts/1', path: '/open/0' }]);
    expect(moved.after).toEqual({
      ...stored, open: [{ sku: 'y' }], parts: [{ sku: 'x', count: 1, note: 'n1' }, { sku: 'x', note: 'n3' }],
    });
  });

  test('undeclared members are neither seen nor lost', async () => {
    const parts = [{ sku: 'x', colour: 'red' }, { sku: 'y', colour: 'blue' }];
    const document = { name: 'a', meta: { by: 'bob', x: 1 }, parts, nope: { a: 1 } };
    const answer = await patched([
      { op: 'test', path: '/parts/0', value: { sku: 'x' } },
      { op: 'replace', path: '/parts/1/sku', value: 'x' }, { op: 'replace', path: '/parts/0/sku', value: 'y' },
      { op: 'move', from: '/parts/1', path: '/parts/0' }, { op: 'add', path: '/parts/-', value: { sku: 'x' } },
    ], document);
    expect([answer.outcome, answer.detail]).toEqual(['written', undefined]);
    expect(answer.after).toEqual({ ...document, parts: [{ sku: 'x', colour: 'blue' }, { sku: 'y', colour: 'red' }, { sku: 'x' }] });
    for (const path of ['/nope', '/nope/a', '/meta/x', '/parts/0/colour']) {
      expect((await patched([{ op: 'test', path, value: 1 }], document)).outcome).toBe('document_conflict');
    }
  });

  test("what the caller's version has no name for stays where it is, and with its element", async () => {
    const keeps = ['cost.net', 'parts.count', 'tags'];
    const answer = await patched([
      { op: 'move', from: '/parts/0', path: '/parts/2' }, { op: 'replace', path: '/parts/2/sku', value: 'z' },
      { op: 'test', path: '/cost', value: {} }, { op: 'replace', path: '/cost', value: {} },
    ], stored, { keeps });
    expect([answer.outcome, answer.detail]).toEqual(['written', undefined]);
    expect(answer.after).toEqual({
      ...stored, parts: [{ sku: 'y', note: 'n2' }, { sku: 'x', note: 'n3' }, { sku: 'z', count: 1, note: 'n1' }],
    });
  });

  test('whoever may see all changes all', async () => {
    const answer = await patched([
      { op: 'test', path: '/cost/secret', value: 5 }, { op: 'move', from: '/cost', path: '/copy' }, { op: 'remove', path: '/pin' },
    ], stored, { principal: eve });
    const { cost, pin: _pin, ...rest } = stored;
    expect(answer.after).toEqual({ ...rest, copy: cost ?? null });
  });

  test('a precondition and an idempotency key hold as of any write, and a key knows one kind of patch', async () => {
    const body = [{ op: 'add', path: '/tags/-', value: 'z' }];
    expect((await patched(body, stored, { ifMatch: '"nope"' })).outcome).toBe('precondition_failed');
    const id = `d${++made}`;
    await origin.put(deals, id, { name: 'a', meta: { by: 'bob' }, ...kept });
    const send = (mediaType: string, sent: string) =>
      origin.ask('patch', deals, { id, principal: bob, mediaType, body: sent, idempotencyKey: 'k' });
    const add = '[{"op":"add","path":"/tags","value":["z"]},{"op":"add","path":"/tags/0","value":"y"}]';
    const first = await send('application/json-patch+json; charset=utf-8', add);
    expect(first.json['tags']).toEqual(['y', 'z']);
    expect((await send('application/json-patch+json', add)).text).toBe(first.text);
    expect((await send('application/merge-patch+json', '{"name":"b"}')).outcome).toBe('idempotency_mismatch');
  });
});

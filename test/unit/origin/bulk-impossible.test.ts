/** A change of many that no document can take is refused as one, unread; what some can take is decided of each (SEMANTICS §17). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const declared = {
  id: { kind: 'string', format: z.string().regex(/^[a-z]+$/) },
  schema: z.object({
    by: z.string(), n: integer(), tags: z.array(z.string()).default([]), pay: integer().optional(),
    at: z.object({ hall: z.string().optional(), row: integer().optional() }).optional(),
    seen: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('web'), url: z.string() }), z.object({ kind: z.literal('hall') }),
    ]).optional(),
    words: z.record(z.string(), z.string()).optional(),
  }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {}, byTag: { equal: ['tags'] } },
} as const;
const notes = resource({ name: 'notes', ...declared });
const served = resource({ name: 'served', ...declared, extra: 'serve' });
const bob = { subject: 'bob', roles: [], claims: {} };

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, served))), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());
  beforeEach(async () => {
    for (const id of ['a', 'b']) await origin.put(notes, id, { by: 'bob', n: 1, tags: ['old'], rev: 1 });
  });

  const patch = (body: Json, query = '?tags=old', of = notes) =>
    origin.askBy(bulk.patchMany, execute, of, { principal: bob, body: body as object, query });
  const told = ({ json }: DirectAnswer) => (json['results'] as readonly JsonObject[]).map(({ id, status, problem }) => {
    const { errors = [] } = (problem ?? {}) as { errors?: readonly { at: string }[] };
    return [id, status, ...errors.map(({ at }) => at)];
  });

  test.each<[string, JsonObject, string]>([
    ['a merge', { merge: { n: 2, titel: 'x' } }, '/merge/titel'],
    ['a merge within', { merge: { at: { hall: 'A', rwo: 1 } } }, '/merge/at/rwo'],
    ['a value of another type within', { merge: { at: { row: 'one' } } }, '/merge/at/row'],
    ['a merge that takes away what must be there', { merge: { by: null } }, '/merge/by'],
    ['a merge of what Tombolo keeps', { merge: { rev: 3 } }, '/merge/rev'],
    ['a change', { changes: { set: { n: 2 }, increment: { '/m': 1 } } }, '/changes/increment/~1m'],
    ['a place to be taken out', { changes: { unset: { titel: true }, set: { n: 2 } } }, '/changes/unset/titel'],
    ['a value of a change', { changes: { set: { at: { hall: 'A', rwo: 1 } } } }, '/changes/set/at/rwo'],
    ['a change of what Tombolo keeps', { changes: { set: { rev: 3 } } }, '/changes/set/rev'],
    ['a patch', { patch: [{ op: 'test', path: '/titel', value: 1 }, { op: 'replace', path: '/n', value: 2 }] }, '/patch/0/path'],
    ['a value of a patch', { patch: [{ op: 'add', path: '/at', value: { hall: 'A', rwo: 1 } }] }, '/patch/0/value/rwo'],
    ['the place that a patch copies from', { patch: [{ op: 'copy', from: '/m', path: '/n' }] }, '/patch/0/from'],
  ])('nothing is read for %s', async (_what, body, place) => {
    const { store } = origin.context;
    let reads = 0;
    const list: typeof store.list = (...given) => (reads++, store.list(...given));
    const watched = new Proxy(store, {
      get(of, name) {
        const member: unknown = name === 'list' ? list : Reflect.get(of, name, of);
        return typeof member === 'function' ? member.bind(of) : member;
      },
    });
    origin.change({ store: watched });
    for (const how of ['', '&dryRun=true', '&atomic=true']) {
      const { outcome, errors } = await patch(body, `?tags=old${how}`);
      expect([outcome, ...errors.map(({ at }) => at)]).toEqual(['document_invalid', place]);
    }
    origin.change({ store });
    expect([reads, (await origin.stored(notes, 'a'))?.['rev']]).toEqual([0, 1]);
  });

  test.each<[string, JsonObject]>([
    ['a place that is made and taken out', { patch: [{ op: 'add', path: '/m', value: 1 }, { op: 'move', from: '/m', path: '/n' }] }],
    ['what Tombolo keeps, tested', { patch: [{ op: 'test', path: '/rev', value: 1 }, { op: 'replace', path: '/n', value: 2 }] }],
    ['a member of a branch that some are of', { merge: { seen: { kind: 'web', url: 'x' } } }],
    ['what is taken out if it is there', { changes: { unset: { pay: true, 'at.hall': true }, set: { n: 1 } } }],
    ['an element', { changes: { append: { tags: ['x'] } } }],
    ['a null where it may be', { merge: { pay: null, at: { hall: null }, words: { x: null } } }],
  ])('each decides of %s', async (_what, body) => {
    expect(told(await patch(body))).toEqual([['a', 200], ['b', 200]]);
  });

  test('each decides of a field that it may have undeclared, and each item of a list is answered as alone', async () => {
    await origin.put(served, 'a', { by: 'bob', n: 1, tags: ['old'], titel: 'x' });
    await origin.put(served, 'b', { by: 'bob', n: 1, tags: ['old'] });
    expect(told(await patch({ changes: { unset: { none: true } } }, '?tags=old', served))).toEqual([['a', 200], ['b', 200]]);
    const merge = { n: 2, titel: 'x' };
    expect(told(await patch({ merge }, '?tags=old', served))).toEqual([['a', 200], ['b', 422, '/merge/titel']]);
    expect(told(await patch([{ id: 'a', merge: { n: 2 } }, { id: 'b', merge }], ''))).toEqual([['a', 200], ['b', 422, '/1/merge/titel']]);
  });
});

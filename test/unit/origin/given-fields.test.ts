/** Fields that nobody gives, that stay as they were given, and that claims fill: by every way of writing, on both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { executor } from '../../../origin/execute.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { fromClaim } from '../../../shared/contract/given-fields.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role, signedIn } from '../../../shared/contract/rules.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string().regex(/^n-/) },
  schema: z.object({
    by: z.string().min(2), about: z.object({ film: z.string(), scene: z.int().optional() }), text: z.string().default(''),
    words: z.int().optional(), state: z.enum(['new', 'read']).default('new'), seal: z.string().optional(),
    rank: z.int().default(1), level: z.int().optional(),
  }),
  rules: { read: anyone, write: anyone },
  readonly: ['words', 'state'], immutable: ['by', 'about.film', 'seal'], defaults: { by: fromClaim('sub'), level: fromClaim('level') },
  fieldRules: { seal: { read: role('clerk') }, rank: { write: role('clerk') } }, shapes: { all: {} },
});
const sides = resource({
  name: 'sides', id: { kind: 'string', format: z.string().regex(/^s-/) },
  schema: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('own'), by: z.string() }), z.object({ kind: z.literal('open'), name: z.string() }),
  ]),
  rules: { read: anyone, write: anyone }, defaults: { by: fromClaim('sub') }, shapes: { all: {} },
});

/** What no client writes, the code of the team does. */
const counted = beforeWrite(notes, ({ next }) => ({ words: (next.text ?? '').split(' ').filter((word) => word !== '').length }));

const rows = endpointModule(
  endpoint({
    name: 'read', of: notes, at: '/read', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ id: z.string(), by: z.string().optional() }), output: z.object({ state: z.string() }),
  }),
).operations;
const carry = executor<typeof rows>({
  read: (call) => {
    const { id, by } = call.input;
    const change = call.asSystem.merge(notes, id, () => ({ state: 'read', ...(by === undefined ? {} : { by }) }));
    return call.write([change], ([{ state = '' }]) => ({ state }));
  },
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(notes, sides), { hooks: [counted] })));
  afterAll(() => origin[Symbol.asyncDispose]());

  const about = { film: 'f-1' };
  const make = (id: string, more: object = {}) => origin.ask('create', notes, { body: { id, about, ...more } });

  test('a claim fills what a new document does not name, by create, PUT and import', async () => {
    expect((await make('n-1')).json).toMatchObject({ by: 'ada', state: 'new', words: 0 });
    expect((await make('n-2', { by: 'bob' })).json).toMatchObject({ by: 'bob' });
    expect((await origin.ask('replace', notes, { id: 'n-3', body: { about } })).json).toMatchObject({ by: 'ada' });
    const { text } = await origin.ask('import', notes, { body: `${JSON.stringify({ id: 'n-4', about })}\n` });
    expect([text.includes('"imported":1'), (await origin.stored(notes, 'n-4'))?.['by']]).toEqual([true, 'ada']);
  });

  test('without the claim, or with one that is no value of the field, a field that must be there is missing', async () => {
    const nobody = await origin.ask('create', notes, { body: { id: 'n-5', about }, principal: { roles: [], claims: {} } });
    expect([nobody.outcome, nobody.errors.map(({ at }) => at)]).toEqual(['document_invalid', ['/by']]);
    const short = await origin.ask('create', notes, { body: { id: 'n-5', about }, principal: { subject: 'x', roles: [], claims: {} } });
    expect([short.outcome, short.detail]).toEqual(['document_invalid', expect.stringContaining('your claim "sub" is no value of it')]);
    const wrong = { subject: 'ada', roles: [], claims: { level: 'high' } };
    expect((await origin.ask('create', notes, { body: { id: 'n-5', about }, principal: wrong })).outcome).toBe('document_invalid');
    const right = { ...wrong, claims: { level: 3 } };
    expect((await origin.ask('create', notes, { body: { id: 'n-5', about }, principal: right })).json).toMatchObject({ level: 3 });
  });

  test('a branch of a union that has no such member is not given it', async () => {
    expect((await origin.ask('create', sides, { body: { id: 's-1', kind: 'own' } })).json).toMatchObject({ by: 'ada' });
    expect((await origin.ask('create', sides, { body: { id: 's-2', kind: 'open', name: 'x' } })).json).not.toHaveProperty('by');
  });

  test('what is read-only is written by hooks and by the system alone, and may be sent back as it was read', async () => {
    expect((await make('n-6', { state: 'read' })).outcome).toBe('forbidden');
    expect((await make('n-6', { words: 7 })).outcome).toBe('forbidden');
    const { json } = await make('n-6', { text: 'two words', state: 'new' });
    expect(json).toMatchObject({ words: 2, state: 'new' });
    const back = await origin.ask('replace', notes, { id: 'n-6', body: { ...json, text: 'three words now' } });
    expect([back.outcome, back.json['words']]).toEqual(['written', 3]);
    expect((await origin.ask('patch', notes, { id: 'n-6', body: { state: 'read' } })).outcome).toBe('forbidden');
    expect((await origin.askBy(rows.read, carry, notes, { body: { id: 'n-6' } })).json).toEqual({ state: 'read' });
  });

  test('a default that the caller may not change is theirs to begin with', async () => {
    expect((await make('n-7')).json).toMatchObject({ rank: 1 });
    expect((await make('n-8', { rank: 2 })).outcome).toBe('forbidden');
  });

  test('what is immutable stays, by PUT, PATCH, JSON Patch, rows and endpoints; where it is not yet, it can be set once', async () => {
    const { json } = await make('n-9');
    const refusedAt = async (asked: Promise<DirectAnswer>) => {
      const { outcome, errors } = await asked;
      return [outcome, ...errors.map(({ at }) => at)];
    };
    const put = (body: object) => origin.ask('replace', notes, { id: 'n-9', body: body as typeof json });
    expect(await refusedAt(put({ ...json, by: 'eve' }))).toEqual(['document_conflict', '/by']);
    expect(await refusedAt(put({ ...json, about: { film: 'f-2' } }))).toEqual(['document_conflict', '/about/film']);
    const patch = (body: typeof json) => origin.ask('patch', notes, { id: 'n-9', body });
    expect(await refusedAt(patch({ by: 'eve' }))).toEqual(['document_conflict', '/by']);
    expect((await patch({ about: { scene: 4 }, by: 'ada' })).json).toMatchObject({ about: { film: 'f-1', scene: 4 } });
    const pointed = [{ op: 'replace', path: '/by', value: 'eve' }];
    const jsonPatch = origin.ask('patch', notes, { id: 'n-9', body: pointed, mediaType: 'application/json-patch+json' });
    expect(await refusedAt(jsonPatch)).toEqual(['document_conflict', '/0/value']);
    const row = `${JSON.stringify({ id: 'n-9', by: 'eve', about })}\n`;
    for (const query of ['?onDuplicate=replace', '?onDuplicate=merge']) {
      expect((await origin.ask('import', notes, { query, body: row })).text).toContain('"rejected":1');
    }
    expect((await origin.askBy(rows.read, carry, notes, { body: { id: 'n-9', by: 'eve' } })).outcome).toBe('document_conflict');
    // Who made it stays where a replacement does not say.
    const other = { subject: 'bob', roles: [], claims: {} };
    expect((await origin.ask('replace', notes, { id: 'n-9', body: { about }, principal: other })).json).toMatchObject({ by: 'ada' });
  });

  test('a hidden field that is immutable tells no guess from another', async () => {
    const clerk = { subject: 'cid', roles: ['clerk'], claims: {} };
    await make('n-10');
    expect((await origin.ask('patch', notes, { id: 'n-10', body: { seal: 'wax' }, principal: clerk })).outcome).toBe('written');
    const guess = async (seal: string) => (await origin.ask('patch', notes, { id: 'n-10', body: { seal } })).outcome;
    expect([await guess('wax'), await guess('lead')]).toEqual(['document_conflict', 'document_conflict']);
    const blind = await origin.ask('replace', notes, { id: 'n-10', body: { about, text: 'anew' } });
    expect([blind.outcome, (await origin.stored(notes, 'n-10'))?.['seal']]).toEqual(['written', 'wax']);
  });
});

test('mistakes in what is declared stop the start, each named', () => {
  const declared = resource({
    name: 'wrong', schema: z.object({ a: z.string(), b: z.string().default('x'), list: z.array(z.object({ c: z.string() })) }),
    readonly: ['a', 'nope'], immutable: ['list.c', 'id'],
    defaults: { b: fromClaim('sub'), nope: fromClaim('sub'), a: fromClaim('') }, shapes: { all: {} },
  });
  expect(resourceMistakes(declared).map((line) => /: ([\w.]+): /.exec(line.slice(line.indexOf('"wrong"')))?.[1])).toEqual([
    'readonly', 'readonly', 'immutable', 'immutable', 'defaults.b', 'defaults.nope', 'defaults.a',
  ]);
});

/** `rev`, `createdAt` and `updatedAt` are the team's: under its names or not at all, never over what others keep (SEMANTICS §15). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Document } from 'mongodb';
import * as z from 'zod';
import { applyPlan } from '../../../origin/store/mongo/install/plan.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
const renamed = resource({
  name: 'renamed', ...named, rev: 'version', createdAt: 'born', updatedAt: 'touched',
  schema: z.object({ name: z.string(), rev: z.string().optional(), createdAt: z.string().optional() }),
  shapes: { all: {}, byBirth: { range: 'born', sort: ['-born'] }, ofRev: { equal: ['rev'] } },
});
const bare = resource({
  name: 'bare', ...named, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({ name: z.string(), rev: z.string().optional(), updatedAt: z.number().optional() }), shapes: { all: {} },
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(renamed, bare))));
  afterAll(() => origin[Symbol.asyncDispose]());

  test('under other names they are kept like under their own, and their own are the schema\'s', async () => {
    const created = await origin.ask('create', renamed, { body: { id: 'a', name: 'n', rev: '1-abc', createdAt: 'long ago' } });
    expect(created.json).toEqual({
      id: 'a', name: 'n', rev: '1-abc', createdAt: 'long ago', version: 1,
      born: expect.stringMatching(/Z$/), touched: expect.stringMatching(/Z$/),
    });
    const patched = await origin.ask('patch', renamed, { id: 'a', body: { rev: '2-def' } });
    expect(patched.json).toMatchObject({ rev: '2-def', version: 2, born: created.json['born'] });
    const put = await origin.ask('replace', renamed, { id: 'a', body: { ...patched.json, name: 'm' } });
    expect(put.json).toMatchObject({ name: 'm', rev: '2-def', createdAt: 'long ago', version: 3 });
    expect((await origin.ask('patch', renamed, { id: 'a', body: { version: 9 } })).outcome).toBe('document_invalid');
    expect((await origin.ask('list', renamed, { query: '?sort=-born&born[gte]=2020-01-01' })).text).toContain('"rev":"2-def"');
    expect((await origin.ask('list', renamed, { query: '?rev=2-def' })).text).toContain('"version":3');
    const { text } = await origin.ask('import', renamed, { query: '?onDuplicate=replace', body: { ...put.json, name: 'o' } });
    expect(text).toContain('"replaced":1');
    expect((await origin.ask('get', renamed, { id: 'a' })).json).toMatchObject({ name: 'o', version: 4, rev: '2-def' });
    const csv = { query: '?onDuplicate=merge', mediaType: 'text/csv', body: 'id,name,rev,version,born\na,p,3-x,77,1999\n' };
    expect((await origin.ask('import', renamed, csv)).text).toContain('"replaced":1');
    const { json } = await origin.ask('get', renamed, { id: 'a' });
    expect(json).toMatchObject({ name: 'p', version: 5, rev: '3-x', born: created.json['born'] });
  });

  test('switched off nothing is written beside the document, and conditions hold by its content', async () => {
    const created = await origin.ask('create', bare, { body: { id: 'a', name: 'n', updatedAt: 7 } });
    expect(created.json).toEqual({ id: 'a', name: 'n', updatedAt: 7 });
    expect((await origin.ask('patch', bare, { id: 'a', body: { name: 'm' }, ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    const patched = await origin.ask('patch', bare, { id: 'a', body: { name: 'm' }, ifMatch: created.etag });
    expect(patched.json).toEqual({ id: 'a', name: 'm', updatedAt: 7 });
    expect((await origin.ask('patch', bare, { id: 'a', body: { name: 'x' }, ifMatch: created.etag })).outcome).toBe('precondition_failed');
    expect((await origin.ask('patch', bare, { id: 'a', body: { createdAt: 1 } })).outcome).toBe('document_invalid');
    expect(await origin.stored(bare, 'a')).toEqual({ id: 'a', name: 'm', updatedAt: 7 });
  });
});

describe('in a collection of others', () => {
  const notes = { ...named, schema: z.object({ name: z.string() }), shapes: { all: {} } } as const;
  const theirs: Document = { name: 'n', rev: '1-abc', createdAt: 1_600_000_000_000, updatedAt: '2020-01-01' };

  /** Of an application that keeps three fields of these names itself. */
  async function openAdopted(declared: ReturnType<typeof resource>) {
    const database = await openMongoDatabase();
    const collection = database.foreign.collection<Document & { _id: string }>(declared.collection);
    await collection.insertOne({ _id: 'a', ...theirs });
    const origin = await DirectOrigin.open({ MONGODB_URI: database.uri, TOMBOLO_KEYS: testKeys }, contract(declared));
    const { foreign } = database;
    const target = { database: foreign, resources: [declared], deployment: 'replica set' as const, patiently: async () => undefined };
    await applyPlan(target, 'e'.repeat(16), () => undefined);
    await origin.restart();
    return {
      origin, stored: () => collection.findOne({ _id: 'a' }),
      async [Symbol.asyncDispose]() {
        await origin[Symbol.asyncDispose]();
        await database.remove();
      },
    };
  }

  test('nothing is kept unasked: what others keep under these names is theirs, and is not served', async () => {
    await using adopted = await openAdopted(resource({ name: 'notes', ...notes }));
    const { origin, stored } = adopted;
    const declared = origin.context.contract.resources.get('notes') ?? expect.unreachable();
    expect((await origin.ask('get', declared, { id: 'a' })).json).toEqual({ id: 'a', name: 'n' });
    expect((await origin.ask('patch', declared, { id: 'a', body: { name: 'm' } })).json).toEqual({ id: 'a', name: 'm' });
    expect(await stored()).toEqual({ _id: 'a', ...theirs, name: 'm' });
    expect((await origin.ask('replace', declared, { id: 'a', body: { id: 'a', name: 'o' } })).json).toEqual({ id: 'a', name: 'o' });
    expect(await stored()).toEqual({ _id: 'a', ...theirs, name: 'o' });
    expect((await origin.ask('replace', declared, { id: 'a', body: { name: 'o', rev: '2' } })).outcome).toBe('document_invalid');
    expect((await origin.ask('create', declared, { body: { id: 'b', name: 'new' } })).json).toEqual({ id: 'b', name: 'new' });
  });

  test('what is said is kept, and what a shape asks for', async () => {
    const declared = resource({
      name: 'notes', ...notes, rev: 'version', shapes: { all: {}, byAge: { sort: ['-updatedAt'] } },
      schema: z.object({ name: z.string(), createdAt: z.number() }), createdAt: false,
    });
    await using adopted = await openAdopted(declared);
    const { origin, stored } = adopted;
    const patched = await origin.ask('patch', declared, { id: 'a', body: { name: 'm' } });
    const kept = { version: 1, updatedAt: expect.stringMatching(/Z$/) };
    expect(patched.json).toEqual({ id: 'a', name: 'm', createdAt: theirs['createdAt'], ...kept });
    expect(await stored()).toEqual({ _id: 'a', ...theirs, name: 'm', version: 1, updatedAt: expect.any(Date) });
  });

  test('a time of theirs is declared like any other field', async () => {
    const declared = resource({ name: 'notes', ...notes, createdAt: false, schema: z.object({ name: z.string(), createdAt: instant() }) });
    await using adopted = await openAdopted(declared);
    const created = await adopted.origin.ask('create', declared, { body: { id: 'b', name: 'x', createdAt: '2020-01-01T00:00:00Z' } });
    expect(created.json).toEqual({ id: 'b', name: 'x', createdAt: '2020-01-01T00:00:00.000Z' });
  });
});

/** What MongoDB itself refuses of a document, such as a value that an index of others does not take, is the document's fault alone. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { applyIn } from '../../suites/store/applied.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

const goods = resource({
  name: 'goods', id: { kind: 'string', format: z.string() },
  schema: z.object({ tags: z.array(z.string()).optional(), cats: z.array(z.string()).optional() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

let database: MongoDatabase;
let origin: Pipeline;
beforeAll(async () => {
  database = await openMongoDatabase();
  // No index has an array in two of its fields.
  await database.foreign.collection('goods').createIndex({ tags: 1, cats: 1 });
  await applyIn(database.foreign, [goods]);
  origin = await Pipeline.open({ MONGODB_URI: database.uri }, contract(goods));
  await origin.put(goods, 'a', { tags: ['x'] });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

const both = { tags: ['x'], cats: ['y'] };
const stored = async () => (await database.foreign.collection<{ _id: string }>('goods').find({ cats: 'y' }).toArray()).length;

test.each([
  ['POST', '/v1/goods', { id: 'b', ...both }],
  ['PUT', '/v1/goods/c', both],
  ['PATCH', '/v1/goods/a', { cats: ['y'] }],
])('a %s is told so, and the log has the code', async (method, path, body) => {
  const { status, json, text } = await origin.ask(path, { method, body: JSON.stringify(body) });
  expect([status, json['code'], json['errors']]).toEqual([
    422, 'document_invalid', [{ at: '', in: 'body', detail: 'the database refuses this document' }],
  ]);
  expect(text).not.toContain('parallel');
  expect(origin.log.at(-1)).toMatchObject({ level: 'info', reason: 'document_invalid', facts: { code: 171 } });
  expect(JSON.stringify(origin.log)).not.toContain('parallel');
  expect(await stored()).toBe(0);
});

test('an import rejects the row, and takes those around it', async () => {
  const rows = [{ id: 'i1' }, { id: 'i2', ...both }, { id: 'i3' }].map((row) => JSON.stringify(row)).join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  const { text } = await origin.ask('/v1/goods/import', { method: 'POST', body: rows, headers });
  expect(JSON.parse(text.split('\n')[1] ?? '')).toMatchObject({ summary: { imported: 2, rejected: 1, complete: true } });
  expect([await stored(), (await origin.ask('/v1/goods/i3')).status]).toEqual([0, 200]);
});

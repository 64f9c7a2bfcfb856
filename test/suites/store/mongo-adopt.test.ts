/** A collection of others adopted: read and not changed, declared, served, written to, and nothing of it lost (SEMANTICS §15 to §17). */
import { describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BSON, type Db, type Document } from 'mongodb';
import { toAdoption } from '../../../origin/database/adopting/adoption.ts';
import { membersOf, type What } from '../../../origin/database/adopting/description.ts';
import { readSample, sampleLimits } from '../../../origin/database/adopting/read-sample.ts';
import { type Adoption, toResourceText } from '../../../origin/database/adopting/resource-text.ts';
import { isObject } from '../../../origin/database/adopting/values.ts';
import { applyPlan, planOf } from '../../../origin/store/mongo/install/plan.ts';
import { removeAll, wholeRemovalOf } from '../../../origin/store/mongo/install/remove-all.ts';
import { withTarget } from '../../../origin/store/mongo/planning.ts';
import { toJson } from '../../../origin/store/mongo/read/bson-values.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { type ForeignCollection, foreignCollections, type ForeignDocument } from '../../support/foreign-collections.ts';
import { wholeOf } from '../../support/foreign-shop.ts';
import { loadResource } from '../../support/load-resource.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { sharedDataDir, sharedData, testThat } from '../../support/needs.ts';
import { Pipeline } from '../../support/pipeline.ts';

const disposals = disposedAfterEach();

async function openDatabase(): Promise<MongoDatabase> {
  const database = await openMongoDatabase();
  disposals.push(() => database.remove());
  return database;
}

const read = (uri: string, collection: string) =>
  withTarget({ uri, resources: [], isWritten: false }, ({ database }) =>
    readSample(database, { collection, documentsMax: sampleLimits.documentsDefault }),
  );

/** The file as it is after a person has let editors in. */
function openedTo(adoption: Adoption): string {
  return toResourceText(adoption).replace("role('admin')", "role('editor')").replace('write: nobody', "write: role('editor')");
}

/** What is served of a stored value by the definition: what is declared, under its name on the wire. */
function served(what: What, value: unknown): Json {
  if (what.kind === 'array' && Array.isArray(value)) return value.map((each) => served(what.element.what, each));
  if (what.kind === 'record' && isObject(value)) return mapped(Object.keys(value), (name) => [name, served(what.value.what, value[name])]);
  const members = membersOf(what).filter(({ stored }) => isObject(value) && Object.hasOwn(value, stored));
  if (!isObject(value) || (what.kind !== 'object' && what.kind !== 'choice')) return toJson(value);
  return mapped(members, ({ name, stored, type }) => [name, served(type.what, value[stored])]);
}

function mapped<T>(list: readonly T[], toEntry: (each: T) => readonly [string, Json]): JsonObject {
  return Object.fromEntries(list.map(toEntry));
}

/** Each document's bytes, by its id. */
async function bytesIn(database: Db, name: string): Promise<ReadonlyMap<string, string>> {
  const found: readonly Document[] = await database.collection(name).find({}, { raw: true }).toArray();
  return new Map(found.map((document) => {
    const bytes = document as unknown as Uint8Array;
    return [JSON.stringify(BSON.deserialize(bytes)['_id']), Buffer.from(bytes).toString('hex')];
  }));
}

async function expectRoundTrip({ collection, indexes, asked, patch, change, ...given }: ForeignCollection): Promise<void> {
  const { uri, foreign } = await openDatabase();
  await foreign.collection(collection).insertMany([...given.documents] as Document[]);
  for (const index of indexes) await foreign.collection(collection).createIndex(index);
  const before = await wholeOf(foreign);
  const sample = await read(uri, collection);
  const adoption = toAdoption('adopted', sample);
  if (adoption === undefined) throw new Error('its ids can be declared');
  const resource = await loadResource(openedTo(adoption));
  expect(resourceMistakes(resource)).toEqual([]);
  const made = contract(resource);
  const { stored: resources } = made;
  await withTarget({ uri, resources, isWritten: false }, (target) => planOf(target));
  expect(await wholeOf(foreign)).toBe(before);
  await withTarget({ uri, resources, isWritten: true }, (target) => applyPlan(target, 'e'.repeat(16), () => undefined));
  const bytes = await bytesIn(foreign, collection);
  {
    await using origin = await Pipeline.open({ MONGODB_URI: uri }, made);
    const rows = await listAll(origin, '');
    expect(rows.length).toBe(sample.documents.length);
    const textsOf = (documents: readonly Json[]) => documents.map((each) => JSON.stringify(sorted(each))).sort();
    expect(textsOf(rows.map(({ id: _id, ...fields }) => fields))).toEqual(
      textsOf(sample.documents.map((document) => served(adoption.documents, document))),
    );
    const found = await Promise.all(asked.map(async ([query]) => [query, (await listAll(origin, query)).length] as const));
    expect(found).toEqual([...asked]);
    const [row] = rows;
    await sendBack(origin, rows);
    expect(await bytesIn(foreign, collection)).toEqual(bytes);
    const path = `/v1/adopted/${String(row?.['id'])}`;
    expect((await origin.ask(path)).json).toEqual(row ?? {});
    const patched = await origin.ask(path, { method: 'PATCH', body: JSON.stringify(patch) });
    expect([patched.status, patched.text]).toEqual([200, expect.any(String)]);
  }
  await expectChange(foreign, { collection, bytes, change });
  await withTarget({ uri, resources, isWritten: true }, async (target) =>
    removeAll(target.database, await wholeRemovalOf({ ...target, withData: false })));
  await putBack(foreign, { collection, bytes });
  expect(await wholeOf(foreign)).toBe(before);
}

async function putBack(foreign: Db, { collection, bytes }: Pick<Change, 'collection' | 'bytes'>): Promise<void> {
  for (const hex of bytes.values()) {
    const document = BSON.deserialize(Buffer.from(hex, 'hex'), { promoteValues: false, bsonRegExp: true });
    await foreign.collection(collection).replaceOne({ _id: document['_id'] }, document);
  }
}

/** Sends documents as they were served, in every way that takes a whole one: nothing is to be written. */
async function sendBack(origin: Pipeline, rows: readonly JsonObject[]): Promise<void> {
  for (const row of rows.slice(0, 20)) {
    const { status, text } = await origin.ask(`/v1/adopted/${String(row['id'])}`, { method: 'PUT', body: JSON.stringify(row) });
    expect([status, JSON.parse(text)]).toEqual([200, row]);
  }
  for (const mode of ['replace', 'merge']) {
    const body = rows.map((row) => JSON.stringify(row)).join('\n');
    const { text } = await origin.ask(`/v1/adopted/import?onDuplicate=${mode}`, { method: 'POST', body });
    expect([mode, JSON.parse(text.trim().split('\n').at(-1) ?? '')]).toMatchObject([mode, { summary: { rejected: 0, complete: true } }]);
  }
}

interface Change extends Pick<ForeignCollection, 'collection' | 'change'> {
  readonly bytes: ReadonlyMap<string, string>;
}

/** Of one document what was written, and every other byte as it was. */
async function expectChange(foreign: Db, { collection, bytes, change }: Change): Promise<void> {
  const after = await bytesIn(foreign, collection);
  const changed = [...bytes].filter(([id, hex]) => after.get(id) !== hex);
  expect([after.size, changed.length]).toEqual([bytes.size, 1]);
  const [[id, hex] = ['', '']] = changed;
  const document = BSON.deserialize(Buffer.from(hex, 'hex'), { promoteValues: false, bsonRegExp: true });
  for (const [path, value] of Object.entries(change)) {
    const steps = path.split('.');
    const holder = steps.slice(0, -1).reduce<Document>((at, step) => at[step] as Document, document);
    holder[steps.at(-1) ?? ''] = value;
  }
  expect(after.get(id)).toBe(Buffer.from(BSON.serialize(document)).toString('hex'));
}

async function listAll(origin: Pipeline, query: string): Promise<readonly JsonObject[]> {
  const rows: JsonObject[] = [];
  for (let after: string | null = ''; after !== null;) {
    const { json, status, text } = await origin.ask(`/v1/adopted?limit=200&${query}${after === '' ? '' : `&after=${after}`}`);
    if (status !== 200) throw new Error(text);
    const page = json as unknown as { readonly data: readonly JsonObject[]; readonly page: { readonly next: string | null } };
    rows.push(...page.data);
    after = page.page.next;
  }
  return rows;
}

/** Members in one order, at every depth. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map((each: Json) => sorted(each));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.keys(value).sort().map((name) => [name, sorted((value as JsonObject)[name] ?? null)]));
}

describe('adopted, planned, listed, read and patched, nothing is lost of', () => {
  test.each(foreignCollections.map((each) => [each.collection, each] as const))('%s', (_name, given) => expectRoundTrip(given), 30_000);

  const samples: readonly Omit<ForeignCollection, 'documents'>[] = [
    {
      collection: 'accounts', indexes: [{ account_id: 1 }, { products: 1, limit: -1 }], asked: [['account_id=371138', 1]],
      patch: { limit: 1 }, change: { limit: 1 },
    },
    { collection: 'customers', indexes: [{ email: 1 }], asked: [], patch: { name: 'Ada' }, change: { name: 'Ada' } },
    {
      collection: 'theaters', indexes: [{ 'location.address.zipcode': 1 }, { 'location.geo': '2dsphere' }],
      asked: [['location.address.zipcode=55425', 1]],
      patch: { location: { address: { city: 'Oslo' } } }, change: { 'location.address.city': 'Oslo' },
    },
    {
      collection: 'users', indexes: [{ email: 1 }], asked: [['email=sean_bean@example.test', 1]],
      patch: { name: 'Ada' }, change: { name: 'Ada' },
    },
  ];
  for (const sample of samples) {
    testThat(sharedData)(`the sample ${sample.collection}`, async () => {
      const file = join(sharedDataDir, 'mongodb-samples', `${sample.collection}.ndjson`);
      const lines = readFileSync(file, 'utf8').trim().split('\n').slice(0, sampleLimits.documentsDefault);
      const documents: readonly ForeignDocument[] = lines.map((line) => BSON.EJSON.parse(line, { relaxed: false }));
      await expectRoundTrip({ ...sample, documents });
    }, 60_000);
  }
});

/** A write by a version that has no name for some places: what is stored there stays, wherever it stands (SEMANTICS §16, §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { added, moved } from '../../../shared/versions/changes.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import { upJsonPatch } from '../../../shared/versions/json-patch.ts';
import { versionOf, versions } from '../../../shared/versions/versions.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

/** v1 has neither `note`, `lines[].tax`, `lines[].ext.code`, `image.alt` nor `cost`, and its `thumbnail` is `image.url`. */
const bills = resource({
  name: 'bills', id: { kind: 'string', format: z.string() },
  schema: z.object({
    title: z.string(),
    note: z.string(),
    lines: z.array(z.object({
      name: z.string(), tax: z.number(), ext: z.object({ code: z.string().optional(), more: z.string().optional() }).optional(),
    })).optional(),
    image: z.object({ url: z.string().optional(), alt: z.string().optional() }).optional(),
    frame: z.object({ kind: z.string(), width: z.number().optional() }).optional(),
    cost: z.number().optional(),
  }),
  rules: { read: anyone, write: anyone },
  fieldRules: { cost: { read: role('staff'), write: role('staff') }, 'lines.tax': { read: role('clerk') } },
  shapes: { all: {} },
  versions: {
    v1: [
      moved({ thumbnail: 'image.url' }),
      added('note', ''), added('lines.tax', 0), added('lines.ext.code', 'none'), added('image.alt', 'none'),
      added('frame.width'), added('cost', 0),
    ],
  },
});
const two = versions({ name: 'v1', deprecated: '2026-01-01', sunset: '2027-01-01' }, { name: 'v2' });
const served = contract(two, bills);
const old = versionOf(two, 'v1');
const dialect = old === undefined ? undefined : dialectOf(served, { operation: documents.get, resource: bills }, old)?.input;
if (dialect === undefined) throw new Error('v1 differs');
const translation = dialect;
const keeps = translation.unnamed;

const staff: Principal = { subject: 'eve', roles: ['staff', 'clerk'], claims: {} };
const guest: Principal = { subject: 'bob', roles: [], claims: {} };
const system = { rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };
const stored: JsonObject = {
  title: 'a', note: 'n', cost: 5, image: { url: 'u', alt: 'x' }, frame: { kind: 'k', width: 2 },
  lines: [{ name: 'one', tax: 1, ext: { code: 'c1', more: 'm' } }, { name: 'two', tax: 2, ext: { code: 'c2' } }],
};

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, served)));
  afterAll(() => origin[Symbol.asyncDispose]());

  async function fieldsOf(id: string): Promise<JsonObject> {
    const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = (await origin.stored(bills, id)) ?? {};
    return fields;
  }

  type Way = 'replace' | 'patch' | 'rows replace' | 'rows merge';
  /** What becomes of a stored document by a body of v1, translated as an edge does it. */
  async function written(way: Way, body: JsonObject, { document = stored, principal = staff, kept = keeps } = {}) {
    const id = `b${++made}`;
    await origin.put(bills, id, { ...document, ...system });
    if (way === 'replace' || way === 'patch') {
      const raised = translation.up(body, way === 'patch' ? 'patch' : 'document');
      const { outcome } = await origin.ask(way, bills, { id, principal, keeps: kept, body: raised });
      return { outcome, after: await fieldsOf(id) };
    }
    const row = JSON.stringify({ ...translation.up(body, 'document'), id });
    const query = `?onDuplicate=${way.slice('rows '.length)}`;
    const { text } = await origin.ask('import', bills, { query, principal, keeps: kept, body: row });
    return { outcome: text.includes('"replaced":1') ? 'written' : text, after: await fieldsOf(id) };
  }
  const shown = translation.down(stored);
  const whole: readonly Way[] = ['replace', 'rows replace'];
  const all: readonly Way[] = [...whole, 'patch', 'rows merge'];

  test.each([...all])('by %s all that it does not name stays, whoever sees it', async (way) => {
    for (const principal of [staff, guest]) {
      const { outcome, after } = await written(way, { ...shown, title: 'b' }, { principal });
      expect([outcome, after]).toEqual(['written', { ...stored, title: 'b' }]);
    }
  });

  test.each([...all])('by %s it stays with its element, wherever that stands, and what is new has what it was filled with', async (way) => {
    const lines = [{ name: 'new' }, { name: 'two' }, { name: 'one', ext: { more: 'm' } }];
    for (const principal of [staff, guest]) {
      const { outcome, after } = await written(way, { ...shown, lines }, { principal });
      const [added_, ...others] = after['lines'] as readonly JsonObject[];
      const [one = {}, other = {}] = stored['lines'] as readonly JsonObject[];
      expect([outcome, others]).toEqual(['written', [other, one]]);
      expect(added_).toMatchObject({ name: 'new', tax: 0 });
    }
  });

  test.each([...whole])('by %s it stays where the rest of what it stands in goes, and goes where that is nothing without', async (way) => {
    const { thumbnail: _thumbnail, frame: _frame, ...others } = shown;
    const { image: _image, frame: _stored, ...rest } = stored;
    expect((await written(way, others)).after).toEqual({ ...rest, image: { alt: 'x' } });
    const hidden = { ...rest, image: { alt: 'x' } };
    expect((await written(way, translation.down(hidden), { document: hidden })).after).toEqual(hidden);
  });

  test.each([...all])('by %s nothing is made of what the document lacks', async (way) => {
    const bare = { title: 'a', note: 'n', lines: [{ name: 'one', tax: 1 }] };
    expect((await written(way, { title: 'b', lines: [{ name: 'one' }] }, { document: bare })).after).toEqual({ ...bare, title: 'b' });
    const { after } = await written(way, { ...shown, thumbnail: 'v' }, { document: { ...bare, lines: [] } });
    expect(after['image']).toMatchObject({ url: 'v' });
  });

  test('by a JSON Patch it stays with its element, and what is new has what it was filled with', async () => {
    const operations = [
      { op: 'replace', path: '/lines/1/name', value: 'one' },
      { op: 'move', from: '/lines/1', path: '/lines/0' },
      { op: 'add', path: '/lines/0', value: { name: 'new' } },
      { op: 'replace', path: '/thumbnail', value: 'v' },
    ] as const;
    const [one = {}, two = {}] = stored['lines'] as readonly JsonObject[];
    for (const principal of [staff, guest]) {
      const id = `b${++made}`;
      await origin.put(bills, id, { ...stored, ...system });
      const body = upJsonPatch(operations, translation);
      const mediaType = 'application/json-patch+json';
      const { outcome, text } = await origin.ask('patch', bills, { id, principal, keeps, mediaType, body });
      expect([outcome, text]).toEqual(['written', expect.any(String) as never]);
      const lines = [{ name: 'new', tax: 0 }, { ...two, name: 'one' }, one];
      expect(await fieldsOf(id)).toMatchObject({ ...stored, image: { url: 'v', alt: 'x' }, lines });
    }
    const id = `b${++made}`;
    await origin.put(bills, id, { ...stored, ...system });
    const named = [{ name: 'new' }, { name: 'two', ext: {} }, { name: 'one', ext: { more: 'm' } }];
    const whole = upJsonPatch([{ op: 'replace', path: '/lines', value: named }], translation);
    await origin.ask('patch', bills, { id, principal: staff, keeps, mediaType: 'application/json-patch+json', body: whole });
    expect((await fieldsOf(id))['lines']).toMatchObject([{ name: 'new', tax: 0 }, two, one]);
  });

  test('a document that is made has what it was filled with', async () => {
    const body = { ...translation.up(shown, 'document'), id: 'made' };
    expect((await origin.ask('replace', bills, { id: 'made', principal: staff, keeps, body })).outcome).toBe('created');
    expect(await fieldsOf('made')).toMatchObject({ note: '', cost: 0, image: { url: 'u', alt: 'none' } });
    const row = JSON.stringify({ ...body, id: 'row' });
    await origin.ask('import', bills, { query: '?onDuplicate=merge', principal: staff, keeps, body: row });
    expect(await fieldsOf('row')).toEqual(await fieldsOf('made'));
  });

  test('without it being said, the filling is written: by the current version it is named', async () => {
    expect((await written('replace', shown, { kept: [] })).after).toMatchObject({ note: '', cost: 0 });
  });

  test('a hidden field is kept by it, and no more is learnt than without', async () => {
    for (const cost of [0, 5]) {
      const document = { ...stored, cost };
      const { outcome, after } = await written('replace', shown, { document, principal: guest });
      expect([outcome, after]).toEqual(['written', document]);
    }
    const kept = keeps.filter((path) => path !== 'cost');
    expect((await written('replace', shown, { principal: guest, kept })).outcome).toBe('forbidden');
  });

  test('one key of idempotency is not one request in two versions', async () => {
    await origin.put(bills, 'once', { ...stored, ...system });
    const asking = { id: 'once', principal: staff, body: translation.up(shown, 'document'), idempotencyKey: 'k1' };
    expect((await origin.ask('replace', bills, { ...asking, keeps })).outcome).toBe('written');
    expect((await origin.ask('replace', bills, asking)).outcome).toBe('idempotency_mismatch');
  });

  const name = fc.constantFrom('p', 'q', 'r', 's');
  const line = fc.record({
    name, tax: fc.nat(9), ext: fc.option(fc.record({ code: name, more: name }, { requiredKeys: [] }), { nil: undefined }),
  });
  const lines = fc.uniqueArray(line, { maxLength: 4, selector: (each) => each.name });
  const bill = fc.record({ title: name, note: name, lines, cost: fc.nat(9) }).map((each) => JSON.parse(JSON.stringify(each)) as JsonObject);

  test.each([...all])('at random: what %s wrote is what v1 reads, and an element that it left alone is as it was', async (way) => {
    await fc.assert(fc.asyncProperty(bill, name, fc.nat(23), fc.array(name, { maxLength: 2 }), async (document, title, turn, fresh) => {
      const before = translation.down(document);
      const left = before['lines'] as readonly JsonObject[];
      const order = [...left.slice(turn % 5), ...left.slice(0, turn % 5)].slice(turn % 3);
      const body = { ...before, title, lines: [...fresh.map((each) => ({ name: `new ${each}` })), ...order] };
      const { outcome, after } = await written(way, body, { document });
      expect([outcome, withoutEmpty(translation.down(after))]).toEqual(['written', withoutEmpty(body)]);
      expect([after['note'], after['cost']]).toEqual([document['note'] ?? null, document['cost'] ?? null]);
      const stood = document['lines'] as readonly JsonObject[];
      const kept = (after['lines'] as readonly JsonObject[]).slice(fresh.length);
      expect(kept).toEqual(order.map((each) => stood.find((one) => one['name'] === each['name']) ?? {}));
    }), { numRuns: 40 });
  });
});

/** Where v1 takes `ext` out and something stands in it that v1 cannot name, it sees an empty one. */
function withoutEmpty(bill: JsonObject): JsonObject {
  const lines = bill['lines'] as readonly JsonObject[];
  return { ...bill, lines: lines.map(({ ext, ...line }) => (JSON.stringify(ext ?? {}) === '{}' ? line : { ...line, ext: ext ?? null })) };
}

test('the signed header says it, and what names no place here names nothing', async () => {
  await using origin = await Pipeline.on('sqlite', served);
  await origin.put(bills, 'a', { ...stored, ...system });
  const body = JSON.stringify({ title: 'b', note: '' });
  expect((await origin.ask('/v2/bills/a', { method: 'PUT', headers: { 'tombolo-keeps': 'note,nothing' }, body })).status).toBe(200);
  expect(await origin.stored(bills, 'a')).toMatchObject({ title: 'b', note: 'n' });
});

/** Rows of an import as documents: what CSV says, what was served and comes back, and rows that are merged. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, role } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ada, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const string = { kind: 'string', format: z.string() } as const;
const towns = resource({
  name: 'towns', id: { ...string, importedFrom: 'code' },
  schema: z.object({
    title: z.string(),
    note: z.string().optional(),
    year: z.int().optional(),
    seen: z.iso.datetime().nullable(),
    size: z.object({ w: z.number(), h: z.number().optional() }).optional(),
    state: z.string().default('open'), price: z.number().optional(),
  }),
  rules: { read: anyone, create: anyone, update: any(equals('state', 'open'), role('editor')) },
  fieldRules: { price: { write: role('editor') } },
  shapes: { all: {} },
});
const notes = resource({
  name: 'notes',
  schema: z.object({ text: z.string() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

interface Line {
  readonly row?: number;
  readonly errors?: readonly { readonly at: string; readonly detail: string }[];
  readonly summary?: Readonly<Record<string, unknown>>;
}

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, contract(towns, notes))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const newId = (): string => `t${++made}`;
  const send = (
    body: string,
    {
      type = 'text/csv',
      mode = 'reject',
      name = 'towns',
      roles = ['editor'],
    }: { type?: string; mode?: string; name?: string; roles?: string[] } = {},
  ) =>
    origin.ask('import', name === 'notes' ? notes : towns, {
      query: `?onDuplicate=${mode}`, body, mediaType: type, principal: { ...ada, roles },
    });
  async function linesOf(...sent: Parameters<typeof send>): Promise<{ summary: Readonly<Record<string, unknown>>; places: string[] }> {
    const { text } = await send(...sent);
    const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as Line);
    return {
      summary: lines.at(-1)?.summary ?? {},
      places: lines.flatMap(({ row, errors = [] }) => errors.map(({ at, detail }) => `${row} ${at}: ${detail}`)),
    };
  }
  async function fieldsOf(id: string): Promise<JsonObject> {
    const { id: _id, rev: _rev, createdAt: _createdAt, updatedAt: _updatedAt, ...fields } = (await origin.stored(towns, id)) ?? {};
    return fields;
  }
  const ndjson = { type: 'application/x-ndjson' };

  describe('a CSV', () => {
    test('says an empty text by quotes, absence by nothing, and whole numbers as spreadsheets do', async () => {
      const [quoted, bare] = [newId(), newId()];
      expect((await linesOf(`code,title,note,year,seen\n${quoted},"","",2001.0,\n${bare},A,,,\n`)).summary).toMatchObject({
        imported: 2,
        rejected: 0,
      });
      expect(await fieldsOf(quoted)).toEqual({ title: '', note: '', year: 2001, seen: null, state: 'open' });
      expect(await fieldsOf(bare)).toEqual({ title: 'A', seen: null, state: 'open' });
    });

    test('that begins with a byte order mark is lost alone; in a text the mark is kept, and before the header it is nothing', async () => {
      const [first, second] = [newId(), newId()];
      const { summary, places } = await linesOf(`\ufeffcode,title,seen\n${first},A,\n\ufeff${newId()},B,\n${second},C\ufeff,\n`);
      expect([summary['imported'], places]).toEqual([2, ['2 : byte order mark (line 3)']]);
      expect(await fieldsOf(second)).toMatchObject({ title: 'C\ufeff' });
    });

    test.each(['text/csv; header=absent', 'text/csv;charset=utf-8;HEADER="absent"'])(
      'sent as %s is refused, not read by its first row',
      async (type) => {
        const refused = await send(`${newId()},A,\n`, { type });
        expect([refused.outcome, JSON.stringify(refused.errors)]).toMatchObject([
          'media_type_unsupported',
          expect.stringContaining('header=present'),
        ]);
        expect((await send(`code,title,seen\n${newId()},A,\n`, { type: 'text/csv; header=present' })).outcome).toBe('streaming');
      },
    );

    test('is told of columns by JSON Pointers', async () => {
      const refused = await send('code,title,seen,a/b,c~d\n');
      expect(refused.errors.map(({ at }) => at)).toEqual(['/a~1b', '/c~0d']);
    });
  });

  describe('what was served can be imported again', () => {
    // A merge patch cannot say that a member is null: there null removes (RFC 7396).
    test.each([
      ['ndjson', 'replace', null],
      ['csv', 'replace', null],
      ['ndjson', 'merge', '2026-01-01T00:00:00.000Z'],
      ['csv', 'merge', null],
    ])('as %s by %s, unchanged and into another place', async (form, mode, seen) => {
      const id = newId();
      expect(
        (await linesOf(`{"code":"${id}","title":"A","note":"n","year":3,"seen":${JSON.stringify(seen)},"price":1.5}`, ndjson)).summary,
      ).toMatchObject({ imported: 1 });
      const served = (await origin.ask('get', towns, { id })).json;
      const toText = (document: JsonObject) =>
        form === 'ndjson'
          ? JSON.stringify(document)
          : `${Object.keys(document).join(',')}\n${Object.values(document)
              .map((value) => value ?? '')
              .join(',')}\n`;
      const options = form === 'ndjson' ? ndjson : {};
      expect((await linesOf(toText(served), { ...options, mode })).summary).toMatchObject({ replaced: 1, rejected: 0 });
      expect((await origin.ask('get', towns, { id })).json).toEqual(served);
      const other = newId();
      expect((await linesOf(toText({ ...served, id: other }), options)).summary).toMatchObject({ imported: 1, rejected: 0 });
      expect((await origin.stored(towns, other))?.['rev']).toBe(1);
      expect(await fieldsOf(other)).toEqual(await fieldsOf(id));
    });

    test('where Tombolo names the documents', async () => {
      const created = (await origin.ask('create', notes, { body: { text: 'x' } })).json;
      expect(
        (await linesOf(JSON.stringify({ ...created, text: 'y' }), { ...ndjson, name: 'notes', mode: 'replace' })).summary,
      ).toMatchObject({ replaced: 1 });
      const row = `${Object.keys(created).join(',')}\n${Object.values({ ...created, text: 'z' }).join(',')}\n`;
      expect((await linesOf(row, { name: 'notes', mode: 'replace' })).summary).toMatchObject({ replaced: 1 });
    });
  });

  test('a row that names its document in two ways is refused by both names, whether they agree or not', async () => {
    const id = newId();
    for (const other of [id, newId()]) {
      const told = ['1 /code: names the document, and so does id', '1 /id: names the document, and so does code'];
      expect((await linesOf(`{"code":"${id}","id":"${other}","title":"A","seen":null}`, ndjson)).places).toEqual(told);
      expect((await linesOf(`code,id,title,seen\n${id},${other},A,\n`)).places).toEqual(told);
    }
    expect(await origin.stored(towns, id)).toBeUndefined();
  });

  describe('rows that are merged', () => {
    const whole = { title: 'A', note: 'n', year: 3, seen: '2026-01-01T00:00:00.000Z', size: { w: 1, h: 2 }, state: 'open', price: 1 };
    async function given(document: JsonObject = whole): Promise<string> {
      const id = newId();
      await origin.put(towns, id, {
        ...document, extra: 1, rev: 3, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z',
      });
      return id;
    }
    const merge = { ...ndjson, mode: 'merge' };

    test('keep what they do not carry, at every depth, and null removes', async () => {
      const id = await given();
      expect((await linesOf(`{"code":"${id}","year":4,"size":{"w":5},"note":null}`, merge)).summary).toMatchObject({
        replaced: 1,
        rejected: 0,
      });
      expect(await fieldsOf(id)).toEqual({
        title: 'A',
        year: 4,
        seen: whole.seen,
        size: { w: 5, h: 2 },
        state: 'open',
        price: 1,
        extra: 1,
      });
    });

    test('of a CSV may lack columns, and their empty fields change nothing', async () => {
      const id = await given();
      expect((await linesOf(`code,title,year,seen,note\n${id},,5,,""\n`, { mode: 'merge' })).summary).toMatchObject({
        replaced: 1,
        rejected: 0,
      });
      expect((await linesOf(`code,price\n${id},7\n`, { mode: 'merge' })).summary).toMatchObject({ replaced: 1, rejected: 0 });
      expect(await fieldsOf(id)).toEqual({ ...whole, year: 5, note: '', price: 7, extra: 1 });
    });

    test('make a new document where there is none, if they are whole', async () => {
      const [fromJson, fromCsv, partial] = [newId(), newId(), newId()];
      expect((await linesOf(`{"code":"${fromJson}","title":"B","seen":null}`, merge)).summary).toMatchObject({ imported: 1 });
      expect((await linesOf(`code,title,seen\n${fromCsv},B,\n`, { mode: 'merge' })).summary).toMatchObject({ imported: 1 });
      for (const id of [fromJson, fromCsv]) expect(await fieldsOf(id)).toEqual({ title: 'B', seen: null, state: 'open' });
      const { summary, places } = await linesOf(`{"code":"${partial}","year":4}`, merge);
      expect([summary['imported'], places.map((place) => place.split(': ')[0])]).toEqual([0, ['1 /title', '1 /seen']]);
    });

    test('are held to the schema and to the rules of a change', async () => {
      const [id, closed] = [await given(), await given({ ...whole, state: 'closed' })];
      const before = await Promise.all([id, closed].map((one) => origin.stored(towns, one)));
      const rows = [
        `{"code":"${id}","year":"x"}`,
        `{"code":"${id}","nope":1}`,
        `{"code":"${id}","title":null}`,
        `{"code":"${id}","price":2}`,
        `{"code":"${id}","size":{"depth":1}}`,
      ];
      const { summary, places } = await linesOf(rows.join('\n'), { ...merge, roles: [] });
      expect([summary['replaced'], places.map((place) => place.split(': ')[0])]).toEqual([
        0,
        ['1 /year', '2 /nope', '3 /title', '4 /price', '5 /size/depth'],
      ]);
      expect((await linesOf(`{"code":"${closed}","year":9}`, { ...merge, roles: [] })).summary).toMatchObject({ replaced: 0, rejected: 1 });
      expect(await Promise.all([id, closed].map((one) => origin.stored(towns, one)))).toEqual(before);
    });

    test('that change nothing make no revision', async () => {
      const id = await given();
      expect((await linesOf(`{"code":"${id}","year":3,"size":{"w":1}}`, merge)).summary).toMatchObject({ replaced: 1 });
      expect((await origin.stored(towns, id))?.['rev']).toBe(3);
    });
  });
});

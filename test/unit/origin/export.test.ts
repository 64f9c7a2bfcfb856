/** Exports: every document that the caller may see, of one state, whole or recognisably not, and taken back by an import. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { csvColumnsOf } from '../../../shared/contract/csv-columns.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role } from '../../../shared/contract/rules.ts';
import { binary, decimal, instant, integer, long } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

const id = { kind: 'string', format: z.string() } as const;
const schema = z.object({
  title: z.string(),
  size: integer().optional(),
  price: decimal().optional(),
  count: long().optional(),
  at: instant().optional(),
  bytes: binary().optional(),
  ratio: z.number().nullable(),
  open: z.boolean().optional(),
  tags: z.array(z.string()).optional(),
  place: z.object({ city: z.string(), zip: z.string().optional() }).optional(),
  inner: z.object({ a: z.number().optional() }),
  free: z.unknown().optional(),
  secret: z.string().optional(),
});
const shapes = { all: {}, bySize: { range: 'size', sort: ['size,title', '-size'] }, byTitle: { equal: ['title'] } } as const;
const things = resource({ name: 'things', id, schema, rules: { read: anyone, write: anyone }, shapes });
const copies = resource({ name: 'copies', id, schema, rules: { read: anyone, write: anyone }, shapes });
const shown = resource({
  name: 'shown', id, schema, rules: { read: equals('open', true), write: anyone }, shapes: { all: {}, bySecret: { equal: ['secret'] } },
  fieldRules: { secret: { read: role('boss') } },
});

const strict = resource({
  name: 'strict', id, rules: { read: anyone, write: anyone }, shapes: { all: {} }, invalid: 'refuse',
  // No database checks this.
  schema: z.object({ n: z.number().refine((n) => n !== 70) }),
});

interface Mark {
  readonly rows: number;
  readonly next: string | null;
  readonly complete?: boolean;
  readonly position?: string;
  readonly stopped?: { readonly code: string };
}

function parse(text: string): { rows: JsonObject[]; marks: Mark[] } {
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject & { $export?: Mark });
  return { rows: lines.filter(({ $export }) => $export === undefined), marks: lines.flatMap(({ $export }) => $export ?? []) };
}

const texts = ['', ' ', 'a,b', 'say "no"', 'two\r\nlines', 'ÄÖ\u{1f600}', "'", '=1+1', 'null', '0', '\t', '\ufeffa', 'x'.repeat(300)];

function random(at: number): JsonObject {
  const pick = <T>(values: readonly T[], by: number) => values[Math.floor(at / by) % values.length] as T;
  const some = (name: string, by: number, value: JsonObject[string]) => (Math.floor(at / by) % 3 === 0 ? {} : { [name]: value });
  return {
    id: `d${String(at).padStart(6, '0')}`, title: pick(texts, 1), ratio: pick([null, 0.1, -0.5, 1e21, 1e-7], 1),
    inner: pick<JsonObject>([{}, { a: 1 }], 2), ...some('size', 1, at % 17),
    ...some('price', 2, pick(['0.10', '12345678901234567890.5'], 1)),
    ...some('count', 1, pick(['9007199254740993', 5], 1)), ...some('at', 2, '2020-01-01T00:00:00.001Z'), ...some('bytes', 3, 'AAE'),
    ...some('open', 1, at % 2 === 0), ...some('tags', 2, pick<string[]>([[], ['a', 'b,"c"', '']], 1)),
    ...some('place', 1, pick<JsonObject>([{ city: 'Ōsaka' }, { city: '', zip: '1,2' }], 1)),
    ...some('free', 1, pick<JsonObject[string]>(['text', '', '1', 7, [1, { b: null }], { c: 'd' }, true], 1)),
    ...some('secret', 2, `s${at % 3}`),
  };
}

const fields = ({ rev: _rev, createdAt: _created, updatedAt: _updated, ...rest }: JsonObject): JsonObject => rest as JsonObject;

describe.each([...engines])('an export on %s', (engine) => {
  const documents = [...Array.from({ length: 1_200 }, (_, at) => random(at)), { ...random(1_200), id: '\ufeff' }];
  let origin: Pipeline;
  beforeAll(async () => {
    origin = await Pipeline.on(engine, contract(things, copies, shown, strict));
    for (const name of ['things', 'shown']) {
      const body = documents.map((each) => JSON.stringify(each)).join('\n');
      expect((await origin.ask(`/v1/${name}/import`, { method: 'POST', body })).text).toContain('"rejected":0');
    }
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const exported = async (path: string, subject?: string) => {
    const answer = await origin.ask(path, subject === undefined ? {} : { subject });
    expect(answer.status).toBe(200);
    return { ...answer, ...parse(answer.text) };
  };

  test('gives every document of the query in its order, and says last that it is complete', async () => {
    const { rows, marks, headers } = await exported('/v1/things/export');
    expect(headers.get('content-type')).toBe('application/x-ndjson');
    expect(rows.map(fields)).toEqual(documents);
    expect(marks).toEqual([{ rows: documents.length, complete: true, next: null, position: expect.any(String) as string }]);
    const large = await exported('/v1/things/export?size[gte]=15&sort=size,title&fields=size');
    const sizes = documents.flatMap(({ size }) => (typeof size === 'number' && size >= 15 ? [size] : [])).sort((a, b) => a - b);
    expect(large.rows.map(({ size }) => size)).toEqual(sizes);
    expect(Object.keys(large.rows[0] ?? {})).toEqual(['id', 'size']);
    expect((await exported('/v1/things/export?title=nowhere')).marks[0]).toMatchObject({ rows: 0, complete: true });
  });

  test.each(['ndjson', 'csv'])('as %s is taken back by an import with every value as it was', async (format) => {
    const { text } = await origin.ask(`/v1/things/export?format=${format}`);
    const headers = { 'content-type': format === 'csv' ? 'text/csv' : 'application/x-ndjson' };
    const taken = await origin.ask('/v1/copies/import?onDuplicate=replace', { method: 'POST', body: text, headers });
    expect(taken.text.trimEnd().split('\n')).toHaveLength(1);
    expect(taken.text).toContain(`"rejected":0`);
    const { rows } = await exported('/v1/copies/export');
    expect(rows.map(fields)).toEqual(documents);
  });

  test('as JSON is one array, and in every form of nothing is a whole answer', async () => {
    expect((JSON.parse((await origin.ask('/v1/things/export?format=json')).text) as JsonObject[]).map(fields)).toEqual(documents);
    expect((await origin.ask('/v1/things/export?format=json&title=nowhere')).text).toBe('[]\n');
    const columns = csvColumnsOf(things).map(({ name }) => name);
    expect((await origin.ask('/v1/things/export?format=csv&title=nowhere')).text).toBe(`${columns.join()}\r\n\r\n`);
    expect((await origin.ask('/v1/things/export?format=csv&fields=place.city,size&title=x')).text).toStartWith('id,size,place\r\n');
  });

  test('goes on from a mark of its own or a cursor of the list of the same query, and from no other', async () => {
    const page = await origin.ask('/v1/things?sort=-size&limit=200');
    const { next } = page.json['page'] as { next: string };
    const [all, rest] = [await exported('/v1/things/export?sort=-size'), await exported(`/v1/things/export?sort=-size&after=${next}`)];
    expect(rest.rows).toEqual(all.rows.slice(200));
    expect((await origin.ask(`/v1/things/export?sort=size,title&after=${next}`)).json['code']).toBe('cursor_invalid');
    const { prev } = (await origin.ask(`/v1/things?sort=-size&limit=200&after=${next}`)).json['page'] as { prev: string };
    expect((await origin.ask(`/v1/things/export?sort=-size&after=${prev}`)).json['code']).toBe('cursor_invalid');
  });

  test('shows what a list shows its caller: no hidden document, no hidden field, and nothing found by one', async () => {
    const { rows } = await exported('/v1/shown/export');
    const visible = documents.filter(({ open }) => open === true);
    expect(rows.map(fields)).toEqual(visible.map(({ secret: _secret, ...rest }) => rest as JsonObject));
    for (const format of ['csv', 'json']) {
      expect((await origin.ask(`/v1/shown/export?format=${format}`)).text).not.toMatch(/[",]s[012][",]/);
    }
    expect((await origin.ask('/v1/shown/export?secret=s1')).json['code']).toBe('forbidden');
  });

  test('refuses by name what makes pages, an unknown form and what no shape serves', async () => {
    for (const [query, at] of [['limit=5', 'limit'], ['count=exact', 'count'], ['format=xml', 'format'], ['nothing=1', 'nothing']]) {
      const { status, json } = await origin.ask(`/v1/things/export?${query}`);
      expect([status, (json['errors'] as { at: string }[])[0]?.at]).toEqual([400, at]);
    }
    expect((await origin.ask('/v1/things/export?sort=title')).json['code']).toBe('query_not_served');
  });

  test('stands in its API as a list in CSV: the same columns, pages by links, another tag', async () => {
    const [csv, json] = [await origin.ask('/v1/things?format=csv&limit=2'), await origin.ask('/v1/things?limit=2')];
    expect(csv.headers.get('content-type')).toBe('text/csv');
    expect(csv.text.split('\r\n')[0]).toBe(csvColumnsOf(things).map(({ name }) => name).join());
    expect(csv.headers.get('etag')).not.toBe(json.headers.get('etag'));
    expect(csv.headers.get('link')).toMatch(/^<\/v1\/things\?format=csv&limit=2&after=[^>]+>; rel="next"/);
    expect((await origin.ask('/v1/things?format=csv&count=exact')).json['code']).toBe('query_invalid');
    expect((await origin.ask('/v1/things?format=ndjson')).json['code']).toBe('query_invalid');
  });

  test('has marks on its way, from each of which it goes on', async () => {
    const many = Array.from({ length: limits.exportMarkRows + 2_000 }, (_, at) => `{"id":"m${at}","title":"many","ratio":null,"inner":{}}`);
    await origin.ask('/v1/copies/import', { method: 'POST', body: many.join('\n') });
    const { rows, marks } = await exported('/v1/copies/export?title=many');
    expect(rows).toHaveLength(many.length);
    expect(marks).toHaveLength(2);
    const rest = await exported(`/v1/copies/export?title=many&after=${marks[0]?.next ?? ''}`);
    expect(rest.rows).toEqual(rows.slice(marks[0]?.rows));
  }, 30_000);

  /** What happens at the third step of an export. */
  const atThirdStep = (happens: () => void) => {
    const { store } = origin.context;
    const hold = store.hold.bind(store);
    store.hold = async (...given) => {
      const held = await hold(...given);
      let steps = 0;
      return {
        position: held.position, close: () => held.close(), many: (...asked) => held.many(...asked),
        list: (...asked) => {
          if (++steps === 3) happens();
          return held.list(...asked);
        },
      };
    };
    return { [Symbol.dispose]: () => void (store.hold = hold) };
  };

  test.each(['deadline_exceeded', 'overloaded'])('that breaks off says so, and goes on from there: %s', async (code) => {
    const streams = new AbortController();
    const before = origin.context;
    let skewMs = 0;
    origin.change({ streams, now: () => Date.now() + skewMs });
    const happens = () => (code === 'overloaded' ? streams.abort() : (skewMs = limits.exportMsMax));
    const { rows, marks } = await (async () => {
      using _hooked = atThirdStep(happens);
      return await exported('/v1/things/export');
    })();
    expect(marks).toMatchObject([{ rows: rows.length, complete: false, stopped: { code } }]);
    expect(rows.length).toBeGreaterThan(50);
    expect(rows.length).toBeLessThan(documents.length);
    origin.change({ streams: new AbortController(), now: () => Date.now() });
    skewMs = 0;
    const rest = await exported(`/v1/things/export?after=${marks[0]?.next ?? ''}`);
    expect([...rows, ...rest.rows].map(fields)).toEqual(documents);
    const stopping = new AbortController();
    using _hooked = atThirdStep(() => stopping.abort());
    origin.change({ streams: stopping });
    // Its transfer fails, and does not end.
    await expect(origin.ask('/v1/things/export?format=csv')).rejects.toThrow();
    origin.change(before);
  });

  test('that stands before a damaged document ends there, and shows none of it', async () => {
    for (let at = 0; at < 80; at++) await origin.put(strict, `s${String(at).padStart(3, '0')}`, { n: at });
    const { rows, marks } = await exported('/v1/strict/export');
    expect(rows).toHaveLength(70);
    expect(marks).toMatchObject([{ rows: 70, complete: false, stopped: { code: 'document_damaged' } }]);
  });

  test('gives its place back however it ends', async () => {
    const asked = ['title=nowhere', 'after=nothing', 'sort=title', 'format=csv'].map((query) => origin.ask(`/v1/things/export?${query}`));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([200, 400, 400, 200]);
    const three = await Promise.all([1, 2, 3].map(() => origin.ask('/v1/things/export?title=nowhere', { subject: 'bo' })));
    expect(three.map(({ status }) => status).sort()).toEqual([200, 200, 429]);
    expect((await origin.ask('/v1/things/export?title=nowhere', { subject: 'bo' })).status).toBe(200);
  });
});

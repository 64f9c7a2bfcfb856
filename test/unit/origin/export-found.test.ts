/** What an export finds: all that a list of the same query finds, page by page, whatever answers it, and of one state. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { exportedRows } from '../../../origin/export/exported-rows.ts';
import type { HeldState } from '../../../origin/store/store.ts';
import { StoredDocument } from '../../../origin/store/stored-document.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, owner, role } from '../../../shared/contract/rules.ts';
import { integer, point } from '../../../shared/contract/types.ts';
import type { Format } from '../../../shared/operations/formats.ts';
import { toRowForm } from '../../../shared/operations/row-form.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() },
  schema: z.object({
    title: z.string(), tags: z.array(z.string()), year: integer().nullable(), by: z.string(), open: z.boolean(),
    secret: z.string().optional(), at: point().optional(),
  }),
  rules: { read: any(equals('open', true), owner('by')), write: anyone, restore: role('editor') },
  fieldRules: { secret: { read: role('boss') } },
  removal: { at: 'deletedAt' },
  shapes: {
    all: { sort: ['id', '-year'], beside: ['tags', 'title', 'year'], examined: 7 },
    byYear: { range: 'year', sort: ['year,title', '-year'], beside: ['tags'], examined: 7 },
    byTag: { equal: ['tags'], sort: ['-year'], beside: ['tags', 'title'], examined: 30 },
    search: { text: ['title', 'tags'], sort: ['-year,title', 'title'], beside: ['tags', 'year'], examined: 5 },
    onMap: { place: 'at', beside: ['tags', 'title'], examined: 7 },
    inYear: { equal: ['year'], place: 'at' },
    byTitle: { equal: ['title'], folded: ['title'], sort: ['year'] },
    begins: { prefix: 'title', folded: ['title'], sort: ['title'] },
    bySecret: { equal: ['secret'], beside: ['secret'] },
  },
});

const words: readonly [string, ...string[]] = ['the', 'The', 'third', 'thirty', 'man', 'Mân', 'Straße', 'strasse', '東京', 'a,"b"', '1949'];
const subjects: readonly [string, ...string[]] = ['ada', 'bob'];

function randomNote(random: Random): JsonObject {
  const several = (length: number) => Array.from({ length }, () => random.pick(words));
  return {
    title: several(1 + random.below(3)).join(' '),
    tags: several(random.below(3)),
    year: random.chance(0.2) ? null : 1990 + random.below(8), by: random.pick(subjects), open: random.chance(0.6),
    secret: random.pick(words),
    // Many at one point, and many as far away.
    ...(random.chance(0.1) ? {} : { at: { type: 'Point', coordinates: [random.pick([24, 24.5, 179.9]), random.pick([60, 60.1, -10])] } }),
  };
}

function randomQuery(random: Random): string {
  const word = () => encodeURIComponent(random.pick(words));
  const areas = ['near=24.4,60&distance=40000', 'near=180,0&distance=20015115', 'within=24,50,25,60', 'within=20,-90,-170,90'] as const;
  const area = () => random.pick(areas);
  const besideArea = () => random.pick(['', '', `&tags[ne]=${word()}`, `&tags[contains]=${word()}`, '&title[ne]=the', '&year=1993']);
  return random.pick([
    () => random.pick(['', 'sort=-year', 'sort=id']),
    () => `tags[ne]=${word()}${random.pick(['', '&sort=-year'])}`,
    () => `year[exists]=${random.chance(0.5)}&tags[nin]=${word()}&title[ne]=${word()}`,
    () => `year[gte]=1993&sort=${random.pick(['-year', 'year,title'])}${random.pick(['', `&tags[contains]=${word()}`])}`,
    () => `tags=${word()}${random.pick(['', `&tags[contains]=${word()}`, `&title[ne]=${word()}`])}`,
    () => `q=${word()}${random.pick(['', ` ${word()}`])}${random.pick(['', '&sort=title'])}`,
    () => `q=${word()}&tags[ne]=${word()}${random.pick(['', '&year[exists]=true'])}`,
    () => `${area()}${besideArea()}`,
    () => `title=${word()}${random.pick(['', '&sort=-year'])}`,
    () => `title[prefix]=${encodeURIComponent(random.pick(['t', 'TH', 's', 'strass', '東']))}`,
  ])();
}

interface Mark {
  readonly rows: number;
  readonly next: string | null;
  readonly complete?: boolean;
  readonly stopped?: { readonly code: string };
}

function parse(text: string): { readonly rows: readonly JsonObject[]; readonly marks: readonly Mark[] } {
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as JsonObject & { $export?: Mark });
  return { rows: lines.filter(({ $export }) => $export === undefined), marks: lines.flatMap(({ $export }) => $export ?? []) };
}

describe.each([...engines])('what an export finds on %s', (engine) => {
  const many = 180;
  let origin: Pipeline;
  beforeAll(async () => {
    origin = await Pipeline.on(engine, contract(notes));
    const random = new Random(7);
    const body = Array.from({ length: many }, (_, at) => JSON.stringify({ id: `n${at}`, ...randomNote(random) })).join('\n');
    expect((await origin.ask('/v1/notes/import', { method: 'POST', body })).text).toContain(`"imported":${many}`);
    for (const query of ['q=the', 'title=the', 'title[prefix]=the', 'near=0,0&distance=1', 'near=0,0&distance=1&year=1990']) {
      await eventually(`${query} is served`, async () => (await origin.ask(`/v1/notes?${query}`)).status === 200);
    }
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const write = async (random: Random) => {
    const id = `n${random.below(many + 20)}`;
    const [method, body] = random.chance(0.3) ? ['DELETE', undefined] : ['PUT', JSON.stringify(randomNote(random))];
    const subject = random.pick(subjects);
    const { status } = await origin.ask(`/v1/notes/${id}`, { method, ...(body === undefined ? {} : { body }), subject });
    expect([200, 201, 204, 403, 404, 409]).toContain(status);
  };

  const listed = async (query: string, subject: string): Promise<readonly JsonObject[]> => {
    const found: JsonObject[] = [];
    for (let after = ''; ; ) {
      const { json, status, text } = await origin.ask(`/v1/notes?${query}&limit=200${after}`, { subject });
      expect([query, status, status === 200 ? '' : text]).toEqual([query, 200, '']);
      found.push(...(json['data'] as readonly JsonObject[]));
      const { next } = json['page'] as { readonly next: string | null };
      if (next === null) return found;
      after = `&after=${next}`;
    }
  };

  const exported = async (query: string, subject = 'ada') => {
    const { status, text } = await origin.ask(`/v1/notes/export?${query}`, { subject });
    expect([query, status, status === 200 ? '' : text]).toEqual([query, 200, '']);
    return parse(text);
  };

  /** Before each step of an export. */
  const between = (happens: () => Promise<void>) => {
    const { store } = origin.context;
    const hold = store.hold.bind(store);
    store.hold = async (...given) => {
      const held = await hold(...given);
      const list: HeldState['list'] = async (...asked) => (await happens(), held.list(...asked));
      return { position: held.position, close: () => held.close(), many: (...asked) => held.many(...asked), list };
    };
    return { [Symbol.dispose]: () => void (store.hold = hold) };
  };

  test('is what the pages of a list held before it began, whatever is written between its steps', async () => {
    const seed = Date.now() % 1_000_000;
    const random = new Random(seed);
    let given = 0;
    for (let round = 0; round < 30; round++) {
      const [query, subject] = [randomQuery(random), random.pick(subjects)];
      const wanted = await listed(query, subject);
      using _writing = between(async () => {
        for (let writes = random.below(6); writes > 0; writes--) await write(random);
      });
      const { rows, marks } = await exported(query, subject);
      expect([seed, query, subject, rows]).toEqual([seed, query, subject, wanted]);
      expect(marks.at(-1)).toMatchObject({ rows: wanted.length, complete: true });
      given += rows.length;
    }
    expect(given).toBeGreaterThan(200);
  }, 120_000);

  test('goes on from the cursor of a page that looked into documents without finding any', async () => {
    const query = 'title[ne]=nothing&tags[ne]=東京&sort=-year';
    const whole = (await exported(query)).rows;
    const first = await origin.ask(`/v1/notes?${query}&limit=3`);
    const [data, { next }] = [first.json['data'] as readonly JsonObject[], first.json['page'] as { readonly next: string }];
    expect((await exported(`${query}&after=${next}`)).rows).toEqual(whole.slice(data.length));
  });

  test('holds nothing that is removed, and a list of that is a CSV where it is asked for', async () => {
    await origin.ask('/v1/notes/gone', { method: 'PUT', body: JSON.stringify({ ...randomNote(new Random(1)), title: 'gone', by: 'ada' }) });
    expect((await exported('title=GONE')).rows).toHaveLength(1);
    expect((await origin.ask('/v1/notes/gone', { method: 'DELETE' })).status).toBe(204);
    for (const query of ['', 'title=gone', 'title[prefix]=gone', 'q=gone', 'title[ne]=x']) {
      for (const format of ['ndjson', 'json', 'csv']) {
        const { status, text } = await origin.ask(`/v1/notes/export?${query}&format=${format}`);
        expect([query, format, status, text.includes('gone')]).toEqual([query, format, 200, false]);
      }
    }
    const removed = await origin.ask('/v1/notes/removed?format=csv&limit=1');
    expect([removed.status, removed.headers.get('content-type')]).toEqual([200, 'text/csv']);
    const [header = '', row = ''] = removed.text.split('\r\n');
    expect(header.split(',')).toContain('deletedAt');
    expect(row).toMatch(/^gone,gone,/);
  });

  test('has an empty column of what its caller may not read, and finds nothing by it', async () => {
    const [header = '', ...rows] = (await origin.ask('/v1/notes/export?format=csv&fields=secret,deletedAt')).text.trimEnd().split('\r\n');
    expect(header).toBe('id,secret,deletedAt');
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(row).toMatch(/^[a-z]+\d*,,$/);
    for (const query of ['secret=the', 'secret[ne]=the&secret=the']) {
      expect((await origin.ask(`/v1/notes/export?${query}&format=csv`)).json['code']).toBe('forbidden');
    }
  });

  test('is taken back as a CSV, with the columns of what nobody gives', async () => {
    const body = (await origin.ask('/v1/notes/export?format=csv')).text;
    const before = (await exported('')).rows;
    const headers = { 'content-type': 'text/csv' };
    const { text } = await origin.ask('/v1/notes/import?onDuplicate=replace', { method: 'POST', body, headers });
    expect(text).toContain(`"rejected":0`);
    const after = (await exported('')).rows;
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after).toEqual(before);
  });

  test('what makes pages or values of a list is refused by name, and of a CSV what it has no place for', async () => {
    const refused = async (path: string) => {
      const { json } = await origin.ask(path);
      return (json['errors'] as readonly { readonly at: string }[]).map(({ at }) => at);
    };
    for (const [name, value] of [['page', 'last'], ['distinct', 'year'], ['count', 'estimated'], ['limit', '5']] as const) {
      expect(await refused(`/v1/notes/export?${name}=${value}`)).toEqual([name]);
    }
    expect(await refused('/v1/notes?distinct=year&format=csv')).toEqual(['format']);
    expect(await refused('/v1/notes?count=estimated&format=csv')).toEqual(['count']);
    const { text } = await origin.ask('/v1/notes?page=last&format=csv&limit=3');
    const shown = text.trimEnd().split('\r\n').slice(1).map((row) => row.split(',')[0]);
    expect(shown).toEqual((await exported('')).rows.slice(-3).map(({ id }) => String(id)));
  });
});

describe('what passes over documents', () => {
  const row = { document: new StoredDocument('a', '{"id":"a"}'), keys: [{ rank: 2, value: 'a' }] };
  /** Of a collection without end, of which every so many documents is found. */
  const openOn = (format: Format, isFound: (at: number) => boolean, end = Number.POSITIVE_INFINITY) => {
    let met = 0;
    const held: HeldState = {
      position: { epoch: 'e', order: '1' }, close: async () => undefined, many: () => Promise.reject(new Error('asked')),
      list: async (_along, { limit }) => {
        const length = Math.min(limit, end - met);
        met += length;
        return { value: Array.from({ length }, () => row), position: held.position };
      },
    };
    let at = 0;
    return exportedRows({
      held, form: toRowForm(format, () => [{ name: 'id', isJson: false }]), after: undefined, position: 'p',
      walk: {
        along: notes, rowsMax: limits.exportLookedIntoRows,
        meet: async (from, { limit }, options) => {
          const request = { equal: {}, range: undefined, sort: [], where: true, after: undefined, limit };
          const { value } = await from.list(notes, request, options);
          return { rows: value, isLast: value.length < limit, upTo: value.at(-1)?.keys };
        },
        find: async (_held, rows) => rows.filter(() => isFound(at++)),
      },
      present: ({ text }) => text, sign: () => 'signed', mustGoOn: () => Date.now() + 1_000,
      onStopped: () => undefined, onEnded: () => undefined,
    });
  };
  const textOf = async (pieces: AsyncIterable<Uint8Array>) => {
    let text = '';
    for await (const piece of pieces) {
      expect(piece.length).toBeGreaterThan(0);
      text += new TextDecoder().decode(piece);
    }
    return text;
  };

  test('says where it is, also while it finds nothing', async () => {
    const { rows, marks } = parse(await textOf(openOn('ndjson', (at) => at === 25_000, 40_100)));
    expect(rows).toHaveLength(1);
    expect(marks.map((mark) => [mark.rows, mark.next])).toEqual([[0, 'signed'], [0, 'signed'], [1, 'signed'], [1, 'signed'], [1, null]]);
    expect(marks.at(-1)?.complete).toBe(true);
  });

  test('ends at the bound, and is no whole answer', async () => {
    const { rows, marks } = parse(await textOf(openOn('ndjson', (at) => at % 100_000 === 5)));
    expect(marks.at(-1)).toMatchObject({ rows: rows.length, next: 'signed', complete: false, stopped: { code: 'limit_exceeded' } });
    expect(rows).toHaveLength(11);
    await expect(textOf(openOn('csv', () => false))).rejects.toThrow('limit_exceeded');
    await expect(textOf(openOn('json', () => false))).rejects.toThrow('limit_exceeded');
    expect(await textOf(openOn('csv', (at) => at === 999_000, 999_999))).toBe('id\r\na\r\n\r\n');
  }, 60_000);
});

/** Operators: what a merge cannot say, on both engines, and what nobody learns by them (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Decimal128, Long } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, role } from '../../../shared/contract/rules.ts';
import { decimal, instant, integer, long } from '../../../shared/contract/types.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { engines } from '../../support/whole-world.ts';
import { applyIn } from '../../suites/store/applied.ts';

const staff = role('staff');
const posts = resource({
  name: 'posts', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    views: integer().max(100).optional(), size: z.number().optional(), hits: long().optional(), price: decimal().optional(),
    first: instant().optional(), last: instant().optional(), by: z.uuid().optional(),
    tags: z.array(z.string().max(5)).optional(), days: z.array(instant()).optional(), scores: z.array(z.number()).nullable().optional(),
    stats: z.object({ views: integer().optional(), deep: z.object({ n: z.number().optional() }).optional() }).optional(),
    parts: z.array(z.object({ sku: z.string(), count: integer().optional(), note: z.string().optional() })).optional(),
    prices: z.array(decimal()).optional(), names: z.array(z.string().trim().toLowerCase()).optional(),
    lots: z.array(z.object({ by: z.uuid(), at: instant(), price: decimal(), hits: long(), size: z.number().default(1) })).optional(),
    more: z.record(z.string(), z.unknown()).optional(),
    open: z.boolean().optional(), secret: z.number().optional(), pin: z.number().optional(),
    hidden: z.array(z.string()).optional(),
  }),
  rules: { read: anyone, write: anyone },
  fieldRules: {
    secret: { read: staff, write: staff }, pin: { read: staff }, hidden: { read: staff, write: staff },
    'parts.note': { read: equals('open', true) }, views: { write: anyone }, by: { write: staff },
  },
  shapes: { all: {} },
});
const counters = resource({
  name: 'posts', id: { kind: 'string', format: z.string() },
  schema: z.object({ n: long(), price: decimal() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
});
const kept: JsonObject = { rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' };
const bob: Principal = { subject: 'bob', roles: [], claims: {} };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(posts))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const mediaType = 'application/vnd.tombolo.changes+json';
  async function changed(body: Json, document: JsonObject, asking: DirectAsking = {}) {
    const id = `p${++made}`;
    await origin.put(posts, id, { name: 'a', ...document, ...kept });
    const answer = await origin.ask('patch', posts, { id, principal: bob, mediaType, body: body as object, ...asking });
    const { id: _id, name: _name, rev, createdAt: _createdAt, updatedAt: _updatedAt, ...after } = (await origin.stored(posts, id)) ?? {};
    return { ...answer, after, rev, places: answer.errors.map(({ at, detail }) => `${at}: ${detail}`).join() };
  }

  const parts = [{ sku: 'x', count: 1, note: 'n1' }, { sku: 'y', note: 'n2' }, { sku: 'x', note: 'n3' }];
  const lot = { by: '0f8fad5b-d9cb-469f-a165-70867728950e', at: '2026-01-01T00:00:00.000Z', price: '0.10', hits: 5, size: 1 };
  const respelt = { by: lot.by.toUpperCase(), at: '2026-01-01T01:00:00+01:00', price: '1E-1', hits: '5' };
  test.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['adds no double of an element that is written otherwise', {
      addToSet: { lots: [respelt, { ...respelt, size: 2 }], prices: ['0.1', '0.100', '2'], names: [' A', 'b', 'B '] },
    }, { lots: [lot], prices: ['0.10'], names: ['a'] }, {
      lots: [lot, { ...lot, price: '0.1', size: 2 }], prices: ['0.10', '2'], names: ['a', 'b'],
    }],
    ['removes elements that are written otherwise', { remove: { lots: [respelt], prices: ['0.1'], names: [' A', 'Others '] } }, {
      lots: [lot], prices: ['0.10', '1'], names: ['a', 'b', 'Others '],
    }, { lots: [], prices: ['1'], names: ['b'] }],
    ...(['by', 'at', 'price', 'hits'] as const).map((name): [string, JsonObject, JsonObject, JsonObject] => [
      `removes by match of ${name} that is written otherwise`, { removeWhere: { lots: { [name]: respelt[name] } } },
      { lots: [lot] }, { lots: [] },
    ]),
    ['changes one element by members that are written otherwise', {
      setWhere: { lots: { match: { by: respelt.by, price: '0.1' }, set: { size: 3 } }, names: { match: 'A ', set: 'c' } },
    }, { lots: [lot], names: ['a'] }, { lots: [{ ...lot, size: 3 }], names: ['c'] }],
    ['sets, in objects that it makes', { set: { 'stats.deep.n': 1, '/more': { a: null } } }, {}, {
      stats: { deep: { n: 1 } }, more: { a: null },
    }],
    ['sets null where null may stand', { set: { scores: null } }, { scores: [1] }, { scores: null }],
    ['unsets what is there and what is not', { unset: { 'stats.views': true, views: true } }, { stats: { views: 1 } }, { stats: {} }],
    ['increments', { increment: { views: 2, 'stats.views': -1, size: 0.5 } }, { views: 1, stats: { views: 1 }, size: 1 }, {
      views: 3, stats: { views: 0 }, size: 1.5,
    }],
    ['counts from 0 where nothing stands', {
      increment: { views: 2, 'stats.deep.n': 3, hits: 1, price: '0.10' }, multiply: { size: 3 },
    }, {}, {
      views: 2, stats: { deep: { n: 3 } }, hits: 1, price: '0.10', size: 0,
    }],
    ['increments in a free object', { increment: { '/more/a.b': 1, 'more.c': 1 } }, { more: { 'a.b': 1 } }, { more: { 'a.b': 2, c: 1 } }],
    ['increments an element', { increment: { '/scores/1': 2, '/parts/0/count': 1 } }, { scores: [1, 2], parts: [{ sku: 'x', count: 1 }] }, {
      scores: [1, 4], parts: [{ sku: 'x', count: 2 }],
    }],
    ['adds longs past 2^53', { increment: { hits: '9007199254740993' } }, { hits: 1 }, { hits: '9007199254740994' }],
    ['and back', { increment: { hits: -1 } }, { hits: '9007199254740993' }, { hits: 9007199254740992 }],
    ['multiplies longs', { multiply: { hits: '3037000499' } }, { hits: 3037000499 }, { hits: '9223372030926249001' }],
    ['adds decimals exactly', { increment: { price: '0.20' } }, { price: '0.1' }, { price: '0.30' }],
    ['adds 34 digits', { increment: { price: '0.0000000000000000000000000000000001' } }, { price: '0.9' }, {
      price: '0.9000000000000000000000000000000001',
    }],
    ['multiplies decimals exactly', { multiply: { price: '1.19' } }, { price: '19.99' }, { price: '23.7881' }],
    ['keeps the less and the more', { min: { views: 3, size: 9, price: '9.5' }, max: { hits: '9007199254740993' } }, {
      views: 5, size: 1, price: '10', hits: 9007199254740992,
    }, { views: 3, size: 1, price: '9.5', hits: '9007199254740993' }],
    ['knows which instant is first', { min: { first: '2026-01-01T00:30:00+01:00' }, max: { last: '2026-01-01T00:30:00+01:00' } }, {
      first: '2026-01-01T00:00:00.000Z', last: '2026-01-01T00:00:00.000Z',
    }, { first: '2025-12-31T23:30:00.000Z', last: '2026-01-01T00:00:00.000Z' }],
    ['puts an end where nothing stands', { min: { first: '2026-01-01T01:00:00+01:00' }, max: { views: 1 } }, {}, {
      first: '2026-01-01T00:00:00.000Z', views: 1,
    }],
    ['appends', { append: { tags: ['a', 'b'], scores: [1] } }, { tags: ['a'] }, { tags: ['a', 'a', 'b'], scores: [1] }],
    ['appends where null stands', { append: { scores: [1] } }, { scores: null }, { scores: [1] }],
    ['adds to a set', { addToSet: { tags: ['a', 'b', 'b'], days: ['2026-01-01T01:00:00+01:00', '2026-01-02T00:00:00Z'] } }, {
      tags: ['a'], days: ['2026-01-01T00:00:00.000Z'],
    }, { tags: ['a', 'b'], days: ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'] }],
    ['removes by value', { remove: { tags: ['a', 'z'], days: ['2026-01-01T01:00:00+01:00'], scores: [1] } }, {
      tags: ['a', 'b', 'a'], days: ['2026-01-01T00:00:00.000Z'],
    }, { tags: ['b'], days: [] }],
    ['removes by match', { removeWhere: { parts: { sku: 'x', count: 1 } } }, { parts }, { parts: parts.slice(1) }],
    ['removes every match', { removeWhere: { parts: { sku: 'x' } } }, { parts }, { parts: [{ sku: 'y', note: 'n2' }] }],
    ['removes nothing of what is not there', { removeWhere: { parts: { sku: 'x' } }, remove: { tags: ['a'] }, set: { size: 1 } }, {}, {
      size: 1,
    }],
    ['changes one element by match', { setWhere: { parts: { match: { sku: 'x' }, set: { count: 7 } } } }, { parts }, {
      parts: [{ sku: 'x', count: 7, note: 'n1' }, ...parts.slice(1)],
    }],
    ['changes one element by value', { setWhere: { tags: { match: 'b', set: 'c' } } }, { tags: ['a', 'b', 'b'] }, {
      tags: ['a', 'c', 'b'],
    }],
    ['keeps what is not seen with its element', { removeWhere: { parts: { sku: 'y' } } }, {
      parts: [{ sku: 'y', note: 'n0', x: 0 }, { sku: 'x', note: 'n1', x: 1 }, { sku: 'x', note: 'n2', x: 2 }],
    }, { parts: [{ sku: 'x', note: 'n1', x: 1 }, { sku: 'x', note: 'n2', x: 2 }] }],
    ['leaves elements alone that others stored wrongly', { append: { tags: ['b'] } }, { tags: ['too long'] }, {
      tags: ['too long', 'b'],
    }],
    ['writes blindly what may be written and not read', { set: { pin: 1 } }, { pin: 2 }, { pin: 1 }],
  ])('%s', async (_title, body, document, after) => {
    const answer = await changed(body, document);
    expect([answer.outcome, answer.detail, answer.rev]).toEqual(['written', undefined, 2]);
    expect(answer.after).toEqual(after);
  });

  test('what leads to what is stored already makes no revision', async () => {
    const document = { tags: ['a'], views: 1, first: '2026-01-01T00:00:00.000Z' };
    const body = {
      addToSet: { tags: ['a'] }, remove: { days: ['2026-01-01T00:00:00Z'] }, increment: { views: 0 }, min: { first: '2027-01-01' },
      unset: { 'more.x': true, 'more.y.z': true, '/parts/0/note': true },
    };
    expect(await changed(body, document)).toMatchObject({ outcome: 'written', rev: 1, after: document });
  });

  test.each<[string, Json, string, string]>([
    ['what is no object', [], 'document_invalid', ': Invalid input'],
    ['an operator of another name', { inc: { views: 1 } }, 'document_invalid', '/inc: unknown field'],
    ['a place that is none', { set: { 'a..b': 1 } }, 'document_invalid', '/set/a..b: '],
    ['a whole document', { set: { '': {} } }, 'document_invalid', '/set/: '],
    ['a prototype', { set: { '/more/__proto__': 1 } }, 'document_invalid', '/set/~1more~1__proto__: '],
    ['an amount that is none', { increment: { views: 'x' } }, 'document_invalid', '/increment/views: '],
    ['text where a number counts', { increment: { views: '1' } }, 'document_invalid', '/increment/views: must be a number, and leave one'],
    ['a sum that its type refuses', { increment: { views: 100 } }, 'document_invalid', '/increment/views: Too big'],
    ['a fraction of a whole number', { increment: { 'stats.views': 0.5 } }, 'document_invalid', '/increment/stats.views: Invalid input'],
    ['a long past 64 bits', { increment: { hits: '9223372036854775807' } }, 'document_invalid', '/increment/hits: leaves no long'],
    ['a decimal that would be rounded', { increment: { price: '0.0000000000000000000000000000000001' } },
      'document_invalid', '/increment/price: leaves no decimal'],
    ['a number past all numbers', { multiply: { size: 1e308 } }, 'document_invalid', '/multiply/size: must be a number, and leave one'],
    ['a number of what is none', { increment: { name: 1 } }, 'document_conflict', '/increment/name: no number stands there'],
    ['an end of another type', { max: { name: 1 } }, 'document_conflict', '/max/name: what stands there is of another type'],
    ['an array of what is none', { append: { name: ['a'] } }, 'document_conflict', '/append/name: no array stands at /name'],
    ['an element that is not there', { set: { '/tags/9': 'a' } }, 'document_conflict', '/set/~1tags~19: nothing stands at /tags/9'],
    ['a match that matches nothing', { setWhere: { parts: { match: { sku: 'z' }, set: { count: 1 } } } },
      'document_conflict', '/setWhere/parts/match: no element is like it'],
    ['an empty match', { removeWhere: { parts: {} } }, 'document_invalid', '/removeWhere/parts: names no member'],
    ['an element of another type', { append: { tags: ['b', 7] } }, 'document_invalid', '/append/tags'],
    ['a member that is not declared', { setWhere: { parts: { match: { sku: 'x' }, set: { nope: 1 } } } },
      'document_invalid', '/setWhere/parts/set/nope: unknown field'],
    ['one place twice', { increment: { views: 1 }, set: { '/views': 1 } }, 'document_invalid', ' is named by '],
    ['a place and what it stands in', { increment: { 'stats.views': 1 }, set: { stats: {} } }, 'document_invalid', ' is named by '],
    ['more places than are taken', {
      set: Object.fromEntries(Array.from({ length: limits.patchOperationsMax + 1 }, (_, n) => [`more.a${n}`, n])),
    }, 'document_invalid', ': names more than'],
    ['what Tombolo keeps', { increment: { rev: 1 } }, 'document_invalid', '/increment/rev: rev is never written'],
    ['to take out what no document has', { unset: { veiws: true } }, 'document_invalid', '/unset/veiws: unknown field'],
    ['to take out what no part of it has', { unset: { 'stats.deep.m': true } }, 'document_invalid', '/unset/stats.deep.m: unknown field'],
    ['to remove from what no document has', { remove: { tag: ['a'] } }, 'document_invalid', '/remove/tag: unknown field'],
    ['to remove by match from it', { removeWhere: { part: { sku: 'x' } } }, 'document_invalid', '/removeWhere/part: unknown field'],
    ['to match by what no element has', { removeWhere: { parts: { sk: 'x' } } },
      'document_invalid', '/removeWhere/parts/sk: unknown field'],
    ['an id', { set: { id: 'x' } }, 'document_invalid', '/set/id: id is never written'],
    ['what a caller may not write', { set: { by: '01890a5d-ac96-774b-bcce-b302099a8057' } }, 'forbidden', '/set/by: not writable'],
  ])('refuses %s, and writes nothing', async (_what, body, outcome, place) => {
    const document = { tags: ['a'], views: 1, hits: 1, price: '1', size: 10, parts };
    const answer = await changed(body, document);
    expect([answer.outcome, answer.places]).toEqual([outcome, expect.stringContaining(place)] as never);
    expect(answer).toMatchObject({ rev: 1, after: document });
  });

  test.each<[JsonObject]>([
    [{ set: { secret: 5 } }], [{ unset: { secret: true } }], [{ increment: { secret: 0 } }], [{ multiply: { secret: 1 } }],
    [{ min: { secret: 5 } }], [{ max: { secret: 5 } }], [{ increment: { pin: 0 } }], [{ max: { pin: 5 } }],
    [{ append: { hidden: ['a'] } }], [{ addToSet: { hidden: ['a'] } }], [{ remove: { hidden: ['a'] } }],
    [{ setWhere: { hidden: { match: 'a', set: 'a' } } }], [{ removeWhere: { hidden: { a: 1 } } }],
    [{ removeWhere: { parts: { sku: 'nope', note: 'n1' } } }], [{ setWhere: { parts: { match: { note: 'n1' }, set: { sku: 'x' } } } }],
    [{ increment: { '/parts/0/note': 1 } }],
  ])('%j, of what its caller may not see, is refused alike, whatever stands there', async (body) => {
    const answers = new Set<string>();
    for (const [number, note] of [[5, 'n1'], [6, 'n2'], [undefined, undefined]] as const) {
      const hidden = number === 5 ? ['a'] : number === 6 ? ['b'] : undefined;
      const given = { secret: number, pin: number, hidden, parts: [{ sku: 'x', note }] };
      const document = JSON.parse(JSON.stringify(given)) as JsonObject;
      const { outcome, detail, places, after, rev } = await changed(body, document);
      expect([outcome, rev, after]).toEqual(['forbidden', 1, document]);
      answers.add(JSON.stringify([detail, places]));
    }
    expect(answers.size).toBe(1);
  });

  test('200 writers at once lose nothing without If-Match', async () => {
    const id = `p${++made}`;
    await origin.put(posts, id, { name: 'a', more: { n: 0 }, price: '0', ...kept });
    const body = { increment: { 'more.n': 1, price: '0.01', hits: '9007199254740993' }, addToSet: { tags: ['t'] } };
    const answers = await Promise.all(Array.from({ length: 200 }, () =>
      origin.ask('patch', posts, { id, principal: bob, mediaType, body, msLeft: 30_000 }),
    ));
    expect([...new Set(answers.map(({ outcome }) => outcome))]).toEqual(['written']);
    expect(await origin.stored(posts, id)).toMatchObject({
      more: { n: 200 }, price: '2.00', hits: '1801439850948198600', tags: ['t'], rev: 201,
    });
  }, 30_000);

  test('one key counts once, however often it is sent', async () => {
    const id = `p${++made}`;
    await origin.put(posts, id, { name: 'a', ...kept });
    const send = () => origin.ask('patch', posts, {
      id, principal: bob, mediaType, body: { increment: { views: 1 } }, idempotencyKey: 'k',
    });
    const first = await send();
    expect((await Promise.all([send(), send()])).map(({ text }) => text)).toEqual([first.text, first.text]);
    expect(await origin.stored(posts, id)).toMatchObject({ views: 1, rev: 2 });
  });

  test('a precondition holds', async () => {
    expect(await changed({ increment: { views: 1 } }, { views: 1 }, { ifMatch: '"nope"' })).toMatchObject({
      outcome: 'precondition_failed', rev: 1,
    });
  });
});

test('another program counts in a collection of its own with $inc, and nobody loses anything', async () => {
  const { uri, foreign, remove } = await openMongoDatabase();
  try {
    const collection = foreign.collection<{ _id: string; n: Long; price: Decimal128 }>('posts');
    await collection.insertOne({ _id: 'a', n: Long.fromNumber(2 ** 53), price: Decimal128.fromString('0.00') });
    await applyIn(foreign, [counters]);
    await using origin = await DirectOrigin.open({ MONGODB_URI: uri }, contract(counters));
    const mediaType = 'application/vnd.tombolo.changes+json';
    const body = { increment: { n: 1, price: '0.01' } };
    const [answers] = await Promise.all([
      Promise.all(Array.from({ length: 100 }, () => origin.ask('patch', counters, { id: 'a', mediaType, body, msLeft: 30_000 }))),
      Promise.all(Array.from({ length: 100 }, () =>
        collection.updateOne({ _id: 'a' }, { $inc: { n: Long.fromNumber(1), price: Decimal128.fromString('0.01') } }),
      )),
    ]);
    expect([...new Set(answers.map(({ outcome }) => outcome))]).toEqual(['written']);
    expect(await collection.findOne({ _id: 'a' }, { promoteLongs: false })).toEqual({
      _id: 'a', n: Long.fromString('9007199254741192'), price: Decimal128.fromString('2.00'),
    });
  } finally {
    await remove();
  }
}, 30_000);

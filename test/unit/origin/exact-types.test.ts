/** Decimals, longs and bytes: taken, kept, shown and asked for as what they are, at any depth (SEMANTICS §4, §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { all, anyone, equals, not, tenant } from '../../../shared/contract/rules.ts';
import { binary, decimal, long } from '../../../shared/contract/types.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const schema = z.object({
  price: decimal(), serial: long().optional(), key: binary().optional(),
  inner: z.object({ price: decimal().optional(), list: z.array(z.object({ serial: long(), key: binary() })).optional() }).optional(),
  prices: z.array(decimal()).optional(),
});
const shapes = {
  byPrice: { range: 'price', sort: ['price', '-price'] }, bySerial: { range: 'serial', sort: ['serial'] },
  ofPrice: { equal: ['price'] }, ofSerial: { equal: ['serial'] }, ofKey: { equal: ['key'] }, ofPrices: { equal: ['prices'] },
};
const id = { kind: 'string', format: z.string() } as const;
const lots = resource({ name: 'lots', id, schema, rules: { read: anyone, write: anyone }, shapes });
const ruled = resource({
  name: 'ruled', id, schema, rules: { read: equals('price', 80), write: anyone }, shapes: { all: {}, ofPrice: { equal: ['price'] } },
});
const rented = resource({
  name: 'rented', id, schema, rules: { read: tenant('serial'), create: anyone, update: all(anyone, not(equals('price', '0.10'))) },
  shapes: { all: {} },
});
const measured = resource({
  name: 'measured', id, schema: z.object({ n: z.number(), price: decimal() }), rules: { read: anyone, write: anyone },
  shapes: {
    ofN: { equal: ['n'] }, ofPrice: { equal: ['price'] }, byN: { range: 'n', sort: ['n'] }, byPrice: { range: 'price', sort: ['price'] },
  },
});

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(lots, ruled, rented, measured));
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const create = async (of: typeof lots, body: object) => {
    const name = `${of.name}-${++made}`;
    const { outcome, json, errors } = await origin.ask('create', of, { body: { id: name, ...body } });
    return { name, outcome, json, errors };
  };
  const idsOf = async (of: Resource, query: string, principal = anonymous) => {
    const { json, detail } = await origin.ask('list', of, { query, principal });
    return (json['data'] as readonly { readonly id: string }[] | undefined)?.map((each) => each.id) ?? detail;
  };

  test('they are shown in their one form, whatever form they came in', async () => {
    const inner = { price: '1e3', list: [{ serial: '12', key: 'AQID' }] };
    const body = { price: '+080.00', serial: '9223372036854775807', key: '_-8', inner, prices: ['7.0'] };
    const { outcome, json, name } = await create(lots, body);
    expect([outcome, json]).toMatchObject(['created', {
      price: '80.00', serial: '9223372036854775807', key: '_-8', prices: ['7.0'],
      inner: { price: '1E+3', list: [{ serial: 12, key: 'AQID' }] },
    }]);
    expect((await origin.ask('get', lots, { id: name })).json).toEqual(json);
    expect((await origin.ask('replace', lots, { id: name, body: json })).etag).toBe((await origin.ask('get', lots, { id: name })).etag!);
  });

  test.each([
    [{ price: 80 }, '/price'], [{ price: 'NaN' }, '/price'], [{ price: 'Infinity' }, '/price'], [{ price: '1'.repeat(35) }, '/price'],
    [{ price: '1E6145' }, '/price'], [{ price: '1', serial: '9223372036854775808' }, '/serial'],
    [{ price: '1', serial: 2 ** 53 + 2 }, '/serial'],
    [{ price: '1', serial: 1.5 }, '/serial'], [{ price: '1', key: 'AQID=' }, '/key'], [{ price: '1', key: 'A' }, '/key'],
    [{ price: '1', inner: { list: [{ serial: 1, key: 'AB' }] } }, '/inner/list/0/key'],
  ])('%p is refused', async (body, at) => {
    const { outcome, errors } = await create(lots, body);
    expect([outcome, errors.map((error) => error.at)]).toEqual(['document_invalid', [at]]);
  });

  test('what was shown is found by it, and by any other text of the same number', async () => {
    const decimals = ['19.99', '-19.99', '0.1', '9007199254740993.01', '9007199254740993.02', '1E+400', '1E-300'];
    for (const price of decimals) {
      const { name } = await create(lots, { price, prices: [price, '5'], serial: '-9007199254740993', key: '' });
      expect([price, await idsOf(lots, `?price=${encodeURIComponent(price)}`)]).toEqual([price, [name]]);
      expect(await idsOf(lots, `?prices=${encodeURIComponent(price)}`)).toEqual([name]);
    }
    const [tenth] = (await idsOf(lots, '?price=0.100')) as readonly string[];
    expect([await idsOf(lots, '?price=1E-1'), (await origin.stored(lots, tenth ?? ''))?.['price']]).toEqual([[tenth ?? ''], '0.1']);
    expect((await idsOf(lots, '?serial=-9007199254740993'))?.length).toBe(decimals.length);
    expect(await idsOf(lots, '?serial=-9007199254740992')).toEqual([]);
    expect((await idsOf(lots, '?key='))?.length).toBe(decimals.length);
    expect(await idsOf(lots, '?serial=9223372036854775808')).toContain('serial');
  });

  test('ranges, orders and pages are exact past the digits of a double', async () => {
    const nearby = ['1000000000000000000000.1', '1000000000000000000000.2', '1000000000000000000000.20', '1000000000000000000000.3'];
    const names: string[] = [];
    for (const price of nearby) names.push((await create(lots, { price })).name);
    const walk = async (query: string) => {
      const found: string[] = [];
      for (let after = ''; ; ) {
        const { json } = await origin.ask('list', lots, { query: `${query}&limit=1${after}` });
        found.push(...(json['data'] as { id: string }[]).map((each) => each.id));
        const { next } = json['page'] as { next?: string | null };
        if (next === undefined || next === null) return found;
        after = `&after=${next}`;
      }
    };
    expect(await walk('?price[gte]=1000000000000000000000&price[lt]=1000000000000000000001')).toEqual(names);
    expect(await walk('?price[gt]=1000000000000000000000.1&price[lte]=1000000000000000000000.2')).toEqual(names.slice(1, 3));
    const backwards = await walk('?price[gt]=1000000000000000000000.1&price[lt]=1000000000000000000001&sort=-price');
    expect(backwards).toEqual([...names.slice(1)].reverse());
  });

  test('a rule compares numbers by what they are, in lists and of one document alike', async () => {
    const whole = await create(ruled, { price: '80' });
    const cents = await create(ruled, { price: '80.00' });
    const other = await create(ruled, { price: '80.01' });
    expect(await idsOf(ruled, '')).toEqual([whole.name, cents.name]);
    expect(await idsOf(ruled, '?price=8e1')).toEqual([whole.name, cents.name]);
    const outcomes = await Promise.all([whole, cents, other].map(({ name }) => origin.ask('get', ruled, { id: name })));
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['found', 'found', 'absent']);
  });

  test('a number smaller than every double is not zero, and what no type holds is no value', async () => {
    for (const [name, n] of Object.entries({ zero: 0, least: Number.MIN_VALUE, less: -Number.MIN_VALUE })) {
      await origin.put(measured, name, { n, price: n === 0 ? '0' : n < 0 ? '-1E-400' : '1E-400' });
    }
    const tiny = `0.${'0'.repeat(500)}1`;
    for (const field of ['n', 'price']) {
      expect([await idsOf(measured, `?${field}=${tiny}`), await idsOf(measured, `?${field}=-${tiny}`)]).toEqual([[], []]);
      expect(await idsOf(measured, `?${field}=0`)).toEqual(['zero']);
      expect(await idsOf(measured, `?${field}[gte]=${tiny}`)).toEqual(['least']);
      expect(await idsOf(measured, `?${field}[lt]=${tiny}`)).toEqual(['less', 'zero']);
      expect(await idsOf(measured, `?${field}[lte]=-${tiny}`)).toEqual(['less']);
      expect(await idsOf(measured, `?${field}[gt]=-${tiny}`)).toEqual(['zero', 'least']);
      expect(await idsOf(measured, `?${field}=0.${'1'.repeat(35)}`)).toContain(field);
    }
    expect(await idsOf(measured, '?price=1E-400')).toEqual(['least']);
  });

  test('a claim is the number of a field, as a number or its text, and what is none lets nobody in', async () => {
    const big = await create(rented, { price: '0.1', serial: '9007199254740993' });
    const small = await create(rented, { price: '0.2', serial: 7 });
    const seenBy = async (claim: string | number) => {
      const principal = { subject: 'ada', roles: [], claims: { tenant: claim } };
      const gets = await Promise.all([big, small].map(({ name }) => origin.ask('get', rented, { id: name, principal })));
      return [await idsOf(rented, '', principal), gets.map(({ outcome }) => outcome === 'found')];
    };
    expect(await seenBy('9007199254740993')).toEqual([[big.name], [true, false]]);
    expect(await seenBy(7)).toEqual([[small.name], [false, true]]);
    expect(await seenBy('7.0')).toEqual([[small.name], [false, true]]);
    expect(await seenBy('9007199254740992')).toEqual([[], [false, false]]);
    for (const claim of ['seven', 'NaN', '']) expect(await seenBy(claim)).toEqual(['no rule of this resource allows this', [false, false]]);
    const principal = { subject: 'ada', roles: [], claims: { tenant: '9007199254740993' } };
    expect((await origin.ask('patch', rented, { id: big.name, body: { price: '5' }, principal })).outcome).toBe('forbidden');
  });
});

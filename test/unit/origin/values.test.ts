/** Moments and UUIDs have one form each (SEMANTICS §4): however they come in, on both engines they are found, ordered and named by it. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, not, owner } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import { Pipeline, type PipelineAnswer } from '../../support/pipeline.ts';
import { principalHeader } from '../../support/signed-hop.ts';

const forms = {
  ours: instant(),
  plain: z.iso.datetime(),
  offset: z.iso.datetime({ offset: true }),
  precise: z.iso.datetime({ precision: 3 }),
  method: z.string().datetime(),
  checked: z.string().max(40).check(z.iso.datetime()),
} as const;
type Form = keyof typeof forms;
const names: readonly Form[] = Object.keys(forms) as Form[];

const moments = resource({
  name: 'moments',
  id: { kind: 'string', format: z.string() },
  schema: z.object({
    ...Object.fromEntries(Object.entries(forms).map(([name, type]) => [name, type.nullish()])),
    list: z.array(z.iso.datetime()).default([]),
    deep: z
      .object({
        at: z.iso.datetime().optional(),
        either: z.union([z.iso.datetime(), z.number()]).optional(),
        named: z.record(z.string(), z.iso.datetime()).optional(),
      })
      .optional(),
    begun: z.iso.datetime({ offset: true }).default('2026-01-01T01:00:00+01:00'),
  }),
  rules: { read: anyone, write: anyone },
  shapes: {
    all: {},
    ...Object.fromEntries(
      names.flatMap((name) => [
        [`by-${name}`, { range: name, sort: [name] }],
        [`of-${name}`, { equal: [name] }],
      ]),
    ),
    listed: { equal: ['list'] },
  },
});

const lower = '0198f2aa-0000-7000-8000-00000000000a';
const upper = lower.toUpperCase();
const own = resource({
  name: 'copies',
  schema: z.object({ film: z.uuid(), owner: z.guid().optional(), older: z.array(z.uuid()).default([]), at: instant().optional() }),
  rules: { read: anyone, create: anyone, update: owner('owner'), remove: not(owner('owner')) },
  shapes: {
    all: {},
    byFilm: { equal: ['film'], sort: ['at'] },
    byOwner: { equal: ['owner'] },
    byOlder: { equal: ['older'] },
    byId: { equal: ['id'] },
    films: { prefix: 'film' },
  },
});
const chosen = resource({
  name: 'chosen',
  id: { kind: 'string', format: z.string().uuid() },
  schema: z.object({ n: z.int() }),
  rules: { read: anyone, write: anyone },
  shapes: { byId: { equal: ['id'] } },
});

const json = (value: unknown) => JSON.stringify(value);
const dataOf = ({ json }: PipelineAnswer) => (json['data'] as { id: string }[]).map(({ id }) => id);

describe.each(['sqlite', 'mongodb'] as const)('on %s', (engine) => {
  test('every date-time form of zod is an instant, by whatever way it is written', async () => {
    await using origin = await Pipeline.on(engine, contract(moments));
    for (const form of names) {
      // The given texts would put b before a.
      const given =
        form === 'precise' ? ['2026-01-02T00:00:00.000Z', '2026-01-01T00:00:00.000Z'] : ['2026-01-02T00:00:00Z', '2026-01-01T00:00:00.0Z'];
      const [second, first] = ['2026-01-02T00:00:00.000Z', '2026-01-01T00:00:00.000Z'];
      expect((await origin.ask('/v1/moments', { method: 'POST', body: json({ id: `${form}-a`, [form]: given[0] }) })).json).toMatchObject({
        [form]: second,
        begun: '2026-01-01T00:00:00.000Z',
      });
      expect((await origin.ask(`/v1/moments/${form}-b`, { method: 'PUT', body: json({ [form]: given[1] }) })).json).toMatchObject({
        [form]: first,
      });
      expect(
        (await origin.ask('/v1/moments/import', { method: 'POST', body: json({ id: `${form}-c`, [form]: given[0] }) })).text,
      ).toContain('"imported":1');
      await origin.ask('/v1/moments', { method: 'POST', body: json({ id: `${form}-d` }) });
      expect((await origin.ask(`/v1/moments/${form}-d`, { method: 'PATCH', body: json({ [form]: given[0] }) })).json).toMatchObject({
        [form]: second,
      });
      expect(dataOf(await origin.ask(`/v1/moments?${form}[gte]=2025-06-01`))).toEqual([`${form}-b`, `${form}-a`, `${form}-c`, `${form}-d`]);
      expect(dataOf(await origin.ask(`/v1/moments?${form}=2026-01-02T01:00:00%2B01:00`))).toEqual([`${form}-a`, `${form}-c`, `${form}-d`]);
      const { page } = (await origin.ask(`/v1/moments?${form}[lte]=2026-01-02&limit=2`)).json as { page: { next: string } };
      expect(dataOf(await origin.ask(`/v1/moments?${form}[lte]=2026-01-02&limit=2&after=${page.next}`))).toEqual([
        `${form}-c`,
        `${form}-d`,
      ]);
    }
  });

  test('at any depth, and what was shown can be sent back', async () => {
    await using origin = await Pipeline.on(engine, contract(moments));
    const body = {
      list: ['2026-01-01T00:00:00Z'],
      deep: { at: '2026-01-01T00:00:00Z', either: '2026-01-01T00:00:00Z', named: { x: '2026-01-01T00:00:00Z' } },
    };
    const at = '2026-01-01T00:00:00.000Z';
    const created = await origin.ask('/v1/moments', { method: 'POST', body: json({ id: 'a', ...body }) });
    expect(created.json).toMatchObject({ list: [at], deep: { at, either: at, named: { x: at } } });
    expect(
      (await origin.ask('/v1/moments/a', { method: 'PATCH', body: json({ deep: { at: '2026-01-02T00:00:00Z' } }) })).json,
    ).toMatchObject({ deep: { at: '2026-01-02T00:00:00.000Z', either: at } });
    expect((await origin.ask('/v1/moments/a', { method: 'PUT', body: (await origin.ask('/v1/moments/a')).text })).status).toBe(200);
    expect(dataOf(await origin.ask('/v1/moments?list=2026-01-01'))).toEqual(['a']);
  });

  test('what else a field checks sees the one form, and is told of it', async () => {
    const seen: string[] = [];
    const noted = (text: string) => (seen.push(text), true);
    const checked = resource({
      name: 'checked',
      schema: z.object({
        a: z.iso.datetime().refine(noted),
        b: z.string().datetime().refine(noted),
        c: z.uuid().refine(noted),
        short: z.string().datetime().max(20).optional(),
      }),
      rules: { read: anyone, write: anyone },
      shapes: { all: {} },
    });
    await using origin = await Pipeline.on(engine, contract(checked));
    seen.length = 0;
    const body = { a: '2026-01-01T00:00:00Z', b: '2026-01-01T00:00:00Z', c: upper };
    expect((await origin.ask('/v1/checked', { method: 'POST', body: json(body) })).status).toBe(201);
    expect(new Set(seen)).toEqual(new Set(['2026-01-01T00:00:00.000Z', lower]));
    expect(
      (await origin.ask('/v1/checked', { method: 'POST', body: json({ ...body, short: '2026-01-01T00:00:00Z' }) })).json,
    ).toMatchObject({ status: 422, errors: [{ at: '/short' }] });
  });

  test('what is no moment of the years 0001 to 9999 is refused, in UTC', async () => {
    await using origin = await Pipeline.on(engine, contract(moments));
    for (const wrong of ['2026-02-30T00:00:00Z', '0000-06-01T00:00:00Z', '0001-01-01T00:30:00+01:00', '9999-12-31T23:30:00-01:00']) {
      const answer = await origin.ask('/v1/moments', { method: 'POST', body: json({ id: 'a', ours: wrong, list: [wrong] }) });
      expect([answer.status, (answer.json['errors'] as { at: string }[]).map(({ at }) => at)]).toEqual([422, ['/ours', '/list/0']]);
      expect((await origin.ask(`/v1/moments?ours[gt]=${encodeURIComponent(wrong)}`)).status).toBe(400);
    }
    for (const [id, right] of [
      ['a', '0001-01-01T00:30:00+00:30'],
      ['b', '9999-12-31T23:30:00.999-00:29'],
    ] as const) {
      expect((await origin.ask('/v1/moments', { method: 'POST', body: json({ id, ours: right }) })).status).toBe(201);
    }
    expect(dataOf(await origin.ask('/v1/moments?ours[gte]=0001-01-01'))).toEqual(['a', 'b']);
  });

  test('a UUID is the same in any spelling, in paths, bodies, imports, filters, rules and cursors', async () => {
    await using origin = await Pipeline.on(engine, contract(own, chosen));
    const created = await origin.ask('/v1/copies', { method: 'POST', body: json({ film: upper, owner: upper, older: [upper] }) });
    expect(created.json).toMatchObject({ film: lower, owner: lower, older: [lower] });
    const id = String(created.json['id']);
    const path = `/v1/copies/${id.toUpperCase()}`;
    expect((await origin.ask(path)).json).toMatchObject({ id });
    for (const query of [
      `film=${upper}`,
      `owner=${upper}`,
      `older=${upper}`,
      `id=${id.toUpperCase()}`,
      `film[prefix]=${upper.slice(0, 13)}`,
      `film[in]=${upper},${lower}`,
    ]) {
      expect(dataOf(await origin.ask(`/v1/copies?${query}`)), query).toEqual([id]);
    }
    const as = (subject: string) => ({ 'tombolo-principal': principalHeader(subject, []) });
    expect((await origin.ask(path, { method: 'DELETE', headers: as(upper) })).status).toBe(403);
    expect(
      (
        await origin.ask(path, {
          method: 'PUT',
          body: json({ ...created.json, id: id.toUpperCase(), at: '2026-01-01T00:00:00Z' }),
          headers: as(upper),
        })
      ).json,
    ).toMatchObject({ id, rev: 2, film: lower });
    const imported = '0198f2aa-0000-7000-8000-00000000000B';
    expect(
      (await origin.ask('/v1/copies/import', { method: 'POST', body: json({ id: imported, film: upper, at: '2026-02-01T00:00:00Z' }) }))
        .text,
    ).toContain('"imported":1');
    for (const spelling of [imported, imported.toLowerCase()]) {
      expect((await origin.ask(`/v1/copies/${spelling}`)).json).toMatchObject({ id: imported.toLowerCase() });
    }
    const { page } = (await origin.ask(`/v1/copies?film=${upper}&limit=1`)).json as { page: { next: string } };
    expect(dataOf(await origin.ask(`/v1/copies?film=${lower}&limit=1&after=${page.next}`))).toEqual([imported.toLowerCase()]);
  });

  test('so are ids that the caller chooses, where they are declared as UUIDs, and one key has one effect in every spelling', async () => {
    await using origin = await Pipeline.on(engine, contract(chosen));
    expect((await origin.ask('/v1/chosen', { method: 'POST', body: json({ id: upper, n: 1 }) })).json).toMatchObject({ id: lower });
    expect((await origin.ask('/v1/chosen', { method: 'POST', body: json({ id: lower, n: 1 }) })).status).toBe(409);
    const headers = { 'idempotency-key': 'one' };
    const patched = await Promise.all(
      [upper, lower].map((id) => origin.ask(`/v1/chosen/${id}`, { method: 'PATCH', body: '{"n":2}', headers })),
    );
    expect(patched.map((answer) => answer.json['rev'])).toEqual([2, 2]);
    expect(dataOf(await origin.ask(`/v1/chosen?id=${upper}`))).toEqual([lower]);
  });
});

test('a refinement that answers later for some values alone is a fault of the declaration, and the log says so', async () => {
  const sometimes = (text: string): unknown => (text === '' ? true : Promise.resolve(true));
  const late = resource({
    name: 'late',
    schema: z.object({ text: z.string().refine(sometimes) }),
    rules: { read: anyone, write: anyone },
    shapes: { all: {} },
  });
  expect(resourceMistakes(late)).toEqual([]);
  await using origin = await Pipeline.on('sqlite', contract(late));
  expect((await origin.ask('/v1/late', { method: 'POST', body: '{"text":"x"}' })).json).toMatchObject({
    status: 503,
    code: 'misconfigured',
  });
  expect(JSON.stringify(origin.log)).toContain('a refinement or a transform of a schema is asynchronous');
  expect(dataOf(await origin.ask('/v1/late'))).toEqual([]);
});

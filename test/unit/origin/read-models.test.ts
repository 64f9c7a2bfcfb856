/** Read models: rows equal a recomputation whatever was written and however often the origin began again. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Own } from '../../../origin/own.ts';
import { readModel, type ReadModel } from '../../../origin/read-models/read-model.ts';
import { mustReadModels } from '../../../origin/read-models/checks.ts';
import { progress } from '../../../origin/read-models/progress.ts';
import { rowsBeside } from '../../../origin/read-models/rows-beside.ts';
import type { ListRequest, Mutation } from '../../../origin/store/store.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, nobody, not } from '../../../shared/contract/rules.ts';
import { toIndex } from '../../../shared/contract/shapes.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() } } as const;
const open = { rules: { read: anyone, write: anyone } };
const shelves = resource({ ...named, ...open, name: 'shelves', schema: z.object({ label: z.string() }), shapes: { all: {} } });
const books = resource({
  ...named, rules: { read: anyone, write: anyone, restore: anyone }, name: 'books', removal: { at: 'goneAt' },
  schema: z.object({ shelf: z.string(), pages: z.int() }), shapes: { onShelf: { equal: ['shelf'], sort: ['-pages'] } },
});
const counts = resource({
  ...named, name: 'counts', rules: { read: anyone, write: nobody }, shapes: { all: {} },
  schema: z.object({ label: z.string(), books: z.int(), pages: z.int() }),
});
const served = contract(shelves, books, counts);

let factor = 1;
const counting: ReadModel = readModel({
  name: 'counts', from: [{ of: books, by: 'shelf' }, { of: shelves, by: 'id' }], into: counts,
  async make(_key, documents) {
    let [label, count, pages] = ['', 0, 0];
    for await (const shelf of documents(shelves)) label = shelf.label ?? '';
    for await (const book of documents(books)) [count, pages] = [count + 1, pages + factor * (book.pages ?? 0)];
    return label === '' && count === 0 ? undefined : { label, books: count, pages };
  },
});

const leaseTimes = { beatMs: 50, silentMsMax: 2_000 };
const inTime = () => ({ deadline: Date.now() + 10_000 });

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  const begin = async (own: Own = {}) => {
    origin = await DirectOrigin.on(engine, served, { readModels: [counting], leaseTimes, ...own });
  };
  afterEach(async () => {
    factor = 1;
    await origin[Symbol.asyncDispose]();
  });
  const isComplete = async () => (await origin.stored(progress, counting.name))?.['stage'] === 'complete';
  const forget = async () => {
    const mutation: Mutation = { resource: progress, id: counting.name, decide: () => ({ kind: 'remove' }) };
    await origin.context.store.write([mutation], inTime());
  };
  const allOf = async (of: Resource): Promise<readonly JsonObject[]> => {
    const request: ListRequest = {
      equal: {}, range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined, limit: 10_000,
    };
    const walked = { ...of, indexes: [toIndex([], request.sort, () => false)] };
    return (await origin.context.store.list(walked, request, inTime())).value.map(({ document }) => document.value);
  };
  const rows = async () => new Map((await allOf(counts)).map(({ id, label, books: count, pages }) => [id, { label, books: count, pages }]));
  /** Of what is stored, by nobody's code but this. */
  const recomputed = async () => {
    const made = new Map<unknown, { label: unknown; books: number; pages: number }>();
    for (const { id, label } of await allOf(shelves)) made.set(id, { label, books: 0, pages: 0 });
    for (const { shelf, pages, goneAt } of await allOf(books)) {
      if (goneAt !== undefined) continue;
      const row = made.get(shelf) ?? { label: '', books: 0, pages: 0 };
      made.set(shelf, { ...row, books: row.books + 1, pages: row.pages + factor * Number(pages) });
    }
    return [...made].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  };
  /** Rows follow in the order of commits: that of the last one is there. */
  const caughtUp = async () => {
    const label = String(Math.random());
    await origin.put(shelves, 'last', { label });
    await eventually('the model has come to what was committed', async () => {
      return (await isComplete()) && (await origin.stored(counts, 'last'))?.['label'] === label;
    });
  };

  test('rows are what a recomputation says, whatever is written, moved and removed, over restarts and rebuilds', async () => {
    await begin();
    const pick = (count: number) => Math.floor(Math.random() * count);
    for (let round = 0; round < 5; round++) {
      for (let step = 0; step < 40; step++) {
        const id = `b${pick(25)}`;
        const body = { shelf: `s${pick(6)}`, pages: pick(500) };
        const how = pick(8);
        if (how < 3) await origin.ask('replace', books, { id, body });
        else if (how === 3) await origin.ask('patch', books, { id, body: { shelf: body.shelf } });
        else if (how === 4) await origin.ask('remove', books, { id });
        else if (how === 5) await origin.put(shelves, `s${pick(6)}`, { label: `l${pick(9)}` });
        else if (how === 6) await origin.ask('remove', shelves, { id: `s${pick(6)}` });
        else await origin.put(books, id, body);
        if (step === 20 && round % 2 === 1) await forget();
        if (step === 30 && round > 1) await origin.restart();
      }
      await caughtUp();
      expect<unknown>([...(await rows())]).toEqual(await recomputed());
    }
  }, 60_000);

  test('what was there before the model is in it, and a row that nothing leads to is taken out', async () => {
    const own: { readModels: readonly ReadModel[] } = { readModels: [] };
    origin = await DirectOrigin.on(engine, served, own);
    for (let n = 0; n < 120; n++) await origin.put(books, `b${n}`, { shelf: `s${n % 70}`, pages: n });
    await origin.put(counts, 'stray', { label: 'none', books: 7, pages: 7 });
    own.readModels = [counting];
    await origin.restart();
    await caughtUp();
    expect((await rows()).get('s3')).toEqual({ label: '', books: 2, pages: 76 });
    expect<unknown>([...(await rows())]).toEqual(await recomputed());
  }, 60_000);

  test('while it is rebuilt all rows are served as they were, then all as they will be', async () => {
    await begin();
    for (let n = 0; n < 200; n++) await origin.put(books, `b${n}`, { shelf: `s${n}`, pages: 10 });
    await caughtUp();
    factor = 3;
    await forget();
    const seen = new Set<unknown>();
    await eventually('it is rebuilt', async () => {
      const found = await rows();
      expect(found.size).toBe(201);
      const pages = new Set([...found].flatMap(([key, row]) => (key === 'last' ? [] : [row.pages])));
      expect(pages.size).toBe(1);
      for (const each of pages) seen.add(each);
      return pages.has(30);
    });
    expect([...seen]).toEqual([10, 30]);
    await eventually('it says that it is complete', isComplete);
    expect(await allOf(rowsBeside)).toEqual([]);
  }, 60_000);

  test('no row takes its place before the consumer has come to what was read: a moved document would be in two rows, or none', async () => {
    const [held, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let holds = false;
    const late: ReadModel = { ...counting, make: async (key, documents) => {
      if (holds) {
        holds = false;
        held.resolve();
        await released.promise;
      }
      return counting.make(key, documents);
    } };
    await begin({ readModels: [late] });
    await origin.put(books, 'a', { shelf: 's1', pages: 1 });
    await caughtUp();
    holds = true;
    await origin.put(books, 'a', { shelf: 's2', pages: 1 });
    await held.promise;
    await forget();
    const stage = async () => (await origin.stored(progress, counting.name))?.['stage'];
    await eventually('all rows are made', async () => (await stage()) === 'switch');
    // Nothing may come of a look at how far the consumer is.
    await Bun.sleep(300);
    expect(await stage()).toBe('switch');
    expect(new Set((await rows()).keys())).toEqual(new Set(['last', 's1']));
    released.resolve();
    await eventually('it is complete', isComplete);
    expect<unknown>([...(await rows())]).toEqual(await recomputed());
  });

  test('a declaration that has changed is made beside the rows of the one before, over restarts, while documents change', async () => {
    const own: Own & { readModels: readonly ReadModel[] } = { readModels: [counting], leaseTimes };
    origin = await DirectOrigin.on(engine, served, own);
    for (let n = 0; n < 80; n++) await origin.put(books, `b${n}`, { shelf: `s${n % 60}`, pages: 1 });
    await caughtUp();
    const before = [...(await rows())];
    own.readModels = [{ ...counting, version: '2', make: async (key, documents) => {
      const row = await counting.make(key, documents);
      return row === undefined ? undefined : { ...row, label: 'next' };
    } }];
    await origin.restart();
    let n = 0;
    await eventually('the next version is served', async () => {
      if (n < 30) await origin.put(books, `b${n}`, { shelf: `s${n % 7 === 0 ? `new${n}` : n}`, pages: 2 });
      if (n++ === 5) await origin.restart();
      const found = [...(await rows())];
      const isNext = found.every(([, { label }]) => label === 'next');
      if (!isNext) expect(found).toEqual(before);
      return isNext && n > 30 && (await isComplete());
    }, { everyMs: 1 });
    await origin.put(books, 'last', { shelf: 'end', pages: 1 });
    await eventually('it has come to what was committed', async () => (await origin.stored(counts, 'end')) !== undefined);
    const expected = (await recomputed()).map(([key, row]) => [key, { ...row, label: 'next' }]);
    expect<unknown>([...(await rows())]).toEqual(expected);
  }, 60_000);

  test('callers write no row, and a row that comes to the same is not written', async () => {
    await begin();
    await origin.put(books, 'a', { shelf: 's', pages: 1 });
    await eventually('the row', async () => (await origin.stored(counts, 's')) !== undefined);
    expect((await origin.ask('replace', counts, { id: 's', body: { label: '', books: 9, pages: 9 } })).outcome).toBe('forbidden');
    expect((await origin.ask('remove', counts, { id: 's' })).outcome).toBe('forbidden');
    await origin.put(books, 'a', { shelf: 's', pages: 1, undeclared: true });
    await caughtUp();
    expect((await origin.stored(counts, 's'))?.['rev']).toBe(1);
  });

  test('what is read by id is what its "where" holds of as it is stored, whatever its branch declares', async () => {
    const branches = [z.object({ kind: z.literal('a') }), z.object({ kind: z.literal('b'), secret: z.boolean().optional() })] as const;
    const cards = resource({ ...named, ...open, name: 'cards', schema: z.discriminatedUnion('kind', branches), shapes: { all: {} } });
    const labels = resource({ ...named, name: 'labels', rules: { read: anyone }, schema: z.object({}), shapes: { all: {} } });
    const model = readModel({
      name: 'labels', from: [{ of: cards, by: 'id', where: not(equals('secret', true)) }], into: labels,
      async make(_key, documents) {
        for await (const _card of documents(cards)) return {};
        return undefined;
      },
    });
    origin = await DirectOrigin.on(engine, contract(cards, labels), { readModels: [model], leaseTimes });
    await origin.put(cards, 'hidden', { kind: 'a', secret: true });
    await origin.put(cards, 'shown', { kind: 'a' });
    await eventually('the row', async () => (await origin.stored(labels, 'shown')) !== undefined);
    expect(await origin.stored(labels, 'hidden')).toBeUndefined();
  });

  test('a make that throws is told and holds up nothing else; its lag grows, and ends with it', async () => {
    let fails = true;
    const failing: ReadModel = { ...counting, make: async (key, documents) => {
      if (fails) throw new Error('a bug');
      return counting.make(key, documents);
    } };
    await begin({ readModels: [failing] });
    await eventually('there is nothing to be made yet', isComplete);
    await origin.put(books, 'a', { shelf: 's', pages: 1 });
    const own = async () => (await origin.context.services.figures()).find(({ service }) => service === 'read model counts');
    const lag = async () => (await own())?.figures.lagSeconds ?? 0;
    await eventually('the lag is seen', async () => (await lag()) > 1);
    const state = (await origin.context.services.states())['read model counts'];
    expect(state).toMatchObject({ ready: true });
    expect(state?.detail).toContain('a bug');
    fails = false;
    await eventually('the lag is gone', async () => (await lag()) < 1 && (await origin.stored(counts, 's')) !== undefined);
  }, 20_000);
});

test('what cannot be a read model does not start', () => {
  const written = resource({ ...named, ...open, name: 'written', schema: z.object({}), shapes: { all: {} } });
  const all = contract(shelves, books, counts, written);
  const refused = (...models: ReadModel[]) => faultIn(() => mustReadModels(models, [], all));
  expect(refused({ ...counting, into: written })).toContain('lets callers create');
  expect(refused({ ...counting, from: [{ of: books, by: 'pages' }] })).toContain('must be a field of one text');
  expect(refused({ ...counting, from: [{ of: shelves, by: 'label' }] })).toContain('has no shape');
  expect(refused({ ...counting, from: [{ of: counts, by: 'id' }] })).toContain('of its own rows');
  expect(refused(counting, { ...counting, name: 'other' })).toContain('another model makes its rows');
  expect(refused(counting)).toBe('');
});

function faultIn(run: () => void): string {
  try {
    run();
    return '';
  } catch (thrown) {
    return String(thrown);
  }
}

/** What `npm run plan` says of stored documents, and what `npm run apply` does to them, on either engine. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Planner } from '../../../origin/store/planned.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { decide, inTime, type OpenOptions, type Place, put, withoutId } from './harness.ts';
import { changesTo, image } from './read-changes.ts';

export interface PlannedPlace extends Place {
  /** As the command has it, beside the store. */
  planned<T>(resources: readonly Resource[], use: (planner: Planner) => Promise<T>): Promise<T>;
  /** The members of a document as they lie in the database, without what frames them. */
  membersOf(id: string): Promise<Buffer>;
}

export const common = { name: 'boats', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
export const shapes = { all: {}, byName: { sort: ['name'] } };
export const before: Resource = resource({
  ...common, shapes, schema: z.object({ name: z.string(), masts: z.unknown(), port: z.unknown() }), validation: { level: 'off' },
});
const port = z.object({ city: z.string().optional(), berth: integer().default(1) }).optional();
export const afterSchema = z.object({ name: z.string(), masts: integer().default(2), crew: z.array(z.string()).default([]), port });
export const after: Resource = resource({ ...common, shapes, validation: { level: 'off' }, schema: afterSchema });

export const old = (id: string, document: JsonObject) => ({ resource: before, id, document });
export const seed = [
  old('lacks', { name: 'Fram', port: { city: 'Oslo', big: 1e300, text: '\u00e9"' }, log: [1.5, { b: null, a: true }] }),
  old('has', { name: 'Maud', masts: 3, crew: ['Ada'], port: { berth: 7 } }),
  old('wrong', { name: 4, masts: 'three', port: 'Oslo' }),
];

export type PlannedOptions = OpenOptions & { readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void };

export function planSuite(engine: string, open: (options: PlannedOptions) => Promise<PlannedPlace>): void {
  let place: PlannedPlace;
  const disposals = disposedAfterEach();
  const opened = async (options: PlannedOptions) => {
    place = await open(options);
    disposals.push(() => place.remove());
    return place;
  };
  const start = (planted: OpenOptions['seed'] = seed) => opened({ resources: [before], seed: planted ?? [] });
  /** A position behind all that was written: what other programs did is noticed a little later. */
  const written = async (id: string) =>
    (await place.store.write([put(after, id, { name: id, masts: 1, crew: [] })], inTime())).position;
  const fill = () => place.planned([after], (planner) => planner.fill(after));

  describe(`a plan on ${engine}`, () => {
    test('tells what is missing, of another type, undeclared and where a default fills in, and changes nothing', async () => {
      await start();
      const { store } = place;
      const head = await store.head();
      const examination = await place.planned([after], (planner) => planner.examine(after, false));
      expect(examination).toMatchObject({
        resource: 'boats', documents: 3, isComplete: true, fitting: 1, ids: [],
        missing: [
          { path: 'crew', hasDefault: true, count: 2, examples: expect.arrayContaining(['lacks', 'wrong']) },
          { path: 'masts', hasDefault: true, count: 1, examples: ['lacks'] },
          { path: 'port.berth', hasDefault: true, count: 1, examples: ['lacks'] },
        ],
        undeclared: expect.arrayContaining([{ path: 'log', count: 1 }, { path: 'port.big', count: 1 }]),
      });
      expect(examination?.types.map(({ path, declared, count }) => [path, declared, count])).toEqual([
        ['masts', 'integer', 1], ['name', 'string', 1], ['port', 'object', 1],
      ]);
      const steps = await place.planned([after], async (planner) => examination && planner.defaultSteps(after, examination));
      expect(steps?.map(({ name, by, documents }) => [name, by, documents])).toEqual([
        ['boats: default masts', 'apply', 3], ['boats: default crew', 'apply', 3], ['boats: default port.berth', 'apply', 3],
      ]);
      expect(await changesTo(store, head, await store.head())).toEqual([]);
    });

    test('a declared member that is nowhere is proposed to be stored as the undeclared one that is everywhere and fits', async () => {
      await start(['a', 'b'].map((id) => old(id, { title: id, year: 1, masts: 2, crew: [] })));
      const examination = await place.planned([after], (planner) => planner.examine(after, true));
      expect(examination?.renames).toEqual([{ path: 'name', storedAs: ['title'] }]);
      const storedAs = { name: 'title' };
      const named: Resource = resource({ ...common, shapes, schema: afterSchema, storedAs, validation: { level: 'off' } });
      const then = await place.planned([named], (planner) => planner.examine(named, true));
      expect([then?.fitting, then?.renames]).toEqual([2, []]);
    });

    test('of a collection past the bound a part is read, and all of it when asked', async () => {
      await start(Array.from({ length: 1_300 }, (_, index) => old(`b${index}`, { name: 'x' })));
      const [part, all] = await place.planned([after], async (planner) => [
        await planner.examine(after, false), await planner.examine(after, true),
      ]);
      expect([part?.isComplete, (part?.documents ?? 0) <= 1_000, (part?.documents ?? 0) > 100]).toEqual([false, true, true]);
      expect([all?.isComplete, all?.documents, all?.missing[0]?.count]).toEqual([true, 1_300, 1_300]);
    });

    test('documents that share a unique key are counted, and no value is told', async () => {
      const gone = '2020-01-01T00:00:00.000Z';
      await start([
        old('a', { name: 'Fram', masts: 1, port: 1 }), old('b', { name: 'fRAM', masts: 1, port: 1 }), old('c', { name: 'fram', masts: 2 }),
        old('d', { name: 'Maud', gone }), old('e', { name: 'Maud', masts: 1, port: 2 }), old('f', { name: 'Gauss', masts: '1', port: 1 }),
        old('g', { name: null, masts: 7 }), old('h', { masts: 7, port: null }), old('i', { name: 'gauss', masts: 1 }),
      ]);
      const keyed: Resource = resource({
        ...common, shapes, validation: { level: 'off' }, removal: { at: 'gone' },
        schema: z.object({ name: z.string(), masts: z.number(), port: z.number() }),
        unique: {
          byName: { fields: ['name'], ignoringCase: true }, byBerth: { fields: ['masts', 'port'] },
          byPort: { fields: ['port'], where: { masts: 2 } },
        },
      });
      const found = await place.planned([keyed], (planner) => planner.sharedKeys(keyed, false));
      expect(found.map(({ unique, shared }) => [unique, shared?.keys, shared?.documents.count])).toEqual([
        ['byName', 2, 5], ['byBerth', 1, 2], ['byPort', 0, 0],
      ]);
      expect(found[1]).toEqual({
        resource: 'boats', unique: 'byBerth', fields: ['masts', 'port'],
        shared: { keys: 1, documents: { count: 2, examples: ['a', 'b'] } },
      });
      expect(new Set(found[0]?.shared?.documents.examples)).toEqual(new Set(['a', 'c', 'f', 'i']));
    });

    test('a resource whose place nobody has made yet is none of its business', async () => {
      await start();
      const rafts: Resource = resource({ ...common, name: 'rafts', schema: z.object({ a: z.string().default('') }), shapes: { all: {} } });
      const [examination, filled] = await place.planned([rafts], async (planner) => [
        await planner.examine(rafts, true), await planner.fill(rafts),
      ]);
      expect([examination?.documents ?? 0, filled?.documents ?? 0]).toEqual([0, 0]);
    });
  });

  describe(`a start on ${engine}`, () => {
    const started = async (planted: OpenOptions['seed'] & object) => {
      const told: unknown[] = [];
      await opened({ resources: [after], seed: planted, onWarning: (message, facts) => told.push([message, facts]) });
      return told;
    };

    test('says in one line what is open, by resource and count, and so does its state', async () => {
      const told = await started(seed);
      const line = 'boats: 2 of the first 3 documents do not fit, or lack what has a default';
      const undeclared = { boats: expect.arrayContaining(['log', 'port.big', 'port.text']) };
      expect(told).toContainEqual([expect.stringContaining('npm run plan'), { open: [line], undeclared }]);
      expect(place.store.state().open).toEqual([line]);
    });

    test('looks at no more than the first documents', async () => {
      await started(Array.from({ length: 300 }, (_, index) => old(`b${index}`, { name: 'x' })));
      expect(place.store.state().open).toEqual(['boats: 200 of the first 200 documents do not fit, or lack what has a default']);
    });

    test('names members that no schema declares, which are no fault', async () => {
      const told = await started([old('more', { name: 'Fram', masts: 1, crew: [], sail: 'x' })]);
      expect([told.length, told[0], place.store.state().open]).toEqual([1, [expect.any(String), { undeclared: { boats: ['sail'] } }], []]);
    });

    test('says nothing where all fit', async () => {
      expect([await started(seed.slice(1, 2)), place.store.state().open]).toEqual([[], []]);
    });
  });

  describe(`defaults on ${engine}`, () => {
    test('are set where they are missing, and the rest of each document stays as it lies', async () => {
      await start();
      const lain = await Promise.all(seed.map(({ id }) => place.membersOf(id)));
      expect(await fill()).toEqual({ resource: 'boats', documents: 2, refused: { count: 0, examples: [] } });
      const now = async (id: string) => withoutId((await place.store.get(after, id, inTime())).value?.value);
      expect(await now('lacks')).toEqual({
        ...seed[0]?.document, masts: 2, crew: [], port: { city: 'Oslo', big: 1e300, text: '\u00e9"', berth: 1 },
      });
      expect(await now('wrong')).toEqual({ ...seed[2]?.document, crew: [] });
      expect(await place.membersOf('has')).toEqual(lain[1] ?? Buffer.of());
      const wrong = await place.membersOf('wrong');
      expect(wrong.subarray(0, lain[2]?.length)).toEqual(lain[2] ?? Buffer.of());
    });

    test('a second time nothing is left to do, and nothing is written', async () => {
      await start();
      await fill();
      const head = await written('between');
      expect((await fill())?.documents).toBe(0);
      expect((await changesTo(place.store, head, await written('last'))).map(image)).toEqual([
        ['last', null, { id: 'last', name: 'last', masts: 1, crew: [] }],
      ]);
    });

    test('are told by the feed, with what was before and what is now', async () => {
      await start();
      const from = await place.store.head();
      await fill();
      const changes = await changesTo(place.store, from, await written('last'));
      const told = changes.find((change) => change.kind === 'document' && change.id === 'wrong' && change.after?.['crew'] !== undefined);
      expect(told).toMatchObject({ before: { name: 4 }, after: { name: 4, crew: [] } });
      expect(changes.some((change) => change.kind === 'document' && change.id === 'has')).toBe(false);
    });

    test('where the checks of the database refuse a document it is named, and the others are filled in', async () => {
      const strict: Resource = resource({ ...common, shapes, schema: after.schema, validation: { level: 'strict' } });
      await opened({ resources: [strict], seed });
      const filled = await place.planned([strict], (planner) => planner.fill(strict));
      expect(filled).toEqual({ resource: 'boats', documents: 1, refused: { count: 1, examples: ['wrong'] } });
      expect((await place.store.get(strict, 'lacks', inTime())).value?.value).toMatchObject({ masts: 2, crew: [] });
    });

    test('that are made anew each time are made for each document', async () => {
      const tagged: Resource = resource({
        ...common, shapes, schema: afterSchema.extend({ tag: z.uuid().default(() => crypto.randomUUID()) }), validation: { level: 'off' },
      });
      await start();
      await place.planned([tagged], (planner) => planner.fill(tagged));
      const { value } = await place.store.many(tagged, seed.map(({ id }) => id), inTime());
      expect(new Set(value.map((document) => document.value['tag'])).size).toBe(3);
    });

    test('beside writers nothing of theirs is lost, and a member that they set first stays theirs', async () => {
      await start(Array.from({ length: 150 }, (_, index) => old(`b${index}`, { name: 'x', turns: 0 })));
      const turns = 5;
      const writing = async () => {
        for (let turn = 0; turn < turns; turn++) {
          const mutations = Array.from({ length: 150 }, (_, index) =>
            decide(before, `b${index}`, (standing) => ({ kind: 'put', document: toNext(standing?.value, index) })));
          await place.store.write(mutations, inTime(20_000));
        }
      };
      await Promise.all([writing(), fill(), fill()]);
      const { value } = await place.store.many(after, Array.from({ length: 150 }, (_, index) => `b${index}`), inTime());
      for (const { id, value: document } of value) {
        const masts = document['masts'] === 9 && Number(id.slice(1)) % 3 === 0 ? 9 : 2;
        expect(document).toEqual({ id, name: 'x', turns, masts, crew: [] });
      }
    });
  });
}

/** One turn more; every third writer sets a member that is missing. */
function toNext(value: JsonObject | undefined, index: number): JsonObject {
  const document = withoutId(value);
  const own: JsonObject = index % 3 === 0 && document['masts'] === undefined ? { masts: 9 } : {};
  return { ...document, ...own, turns: Number(document['turns']) + 1 };
}

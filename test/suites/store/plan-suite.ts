/** What `npm run plan` says of stored documents, and what `npm run apply` does to them, on either engine. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Planner } from '../../../origin/store/planned.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { decide, inTime, type OpenOptions, type Place, put, remove, withoutId } from './harness.ts';
import { changesTo, image } from './read-changes.ts';

export interface PlannedPlace extends Place {
  /** As the command has it, beside the store. */
  planned<T>(resources: readonly Resource[], use: (planner: Planner) => Promise<T>): Promise<T>;
  /** The members of a document as they lie in the database, without what frames them. */
  membersOf(id: string): Promise<Buffer>;
}

const common = { name: 'boats', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
const shapes = { all: {}, byName: { sort: ['name'] } };
const before: Resource = resource({
  ...common, shapes, schema: z.object({ name: z.string(), masts: z.unknown(), port: z.unknown() }), validation: { level: 'off' },
});
const port = z.object({ city: z.string().optional(), berth: integer().default(1) }).optional();
const afterSchema = z.object({ name: z.string(), masts: integer().default(2), crew: z.array(z.string()).default([]), port });
const after: Resource = resource({ ...common, shapes, validation: { level: 'off' }, schema: afterSchema });

const old = (id: string, document: JsonObject) => ({ resource: before, id, document });
const seed = [
  old('lacks', { name: 'Fram', port: { city: 'Oslo', big: 1e300, text: '\u00e9"' }, log: [1.5, { b: null, a: true }] }),
  old('has', { name: 'Maud', masts: 3, crew: ['Ada'], port: { berth: 7 } }),
  old('wrong', { name: 4, masts: 'three', port: 'Oslo' }),
];

type PlannedOptions = OpenOptions & { readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void };

export function planSuite(engine: string, open: (options: PlannedOptions) => Promise<PlannedPlace>): void {
  let place: PlannedPlace;
  afterEach(() => place.remove());
  const start = async (planted: OpenOptions['seed'] = seed) => (place = await open({ resources: [before], seed: planted ?? [] }));
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
      place = await open({ resources: [after], seed: planted, onWarning: (message, facts) => told.push([message, facts]) });
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
      place = await open({ resources: [strict], seed });
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
      await start(Array.from({ length: 300 }, (_, index) => old(`b${index}`, { name: 'x', turns: 0 })));
      const turns = 5;
      const writing = async () => {
        for (let turn = 0; turn < turns; turn++) {
          const mutations = Array.from({ length: 300 }, (_, index) =>
            decide(before, `b${index}`, (standing) => ({ kind: 'put', document: toNext(standing?.value, index) })));
          await place.store.write(mutations, inTime(20_000));
        }
      };
      await Promise.all([writing(), fill(), fill()]);
      const { value } = await place.store.many(after, Array.from({ length: 300 }, (_, index) => `b${index}`), inTime());
      for (const { id, value: document } of value) {
        const masts = document['masts'] === 9 && Number(id.slice(1)) % 3 === 0 ? 9 : 2;
        expect(document).toEqual({ id, name: 'x', turns, masts, crew: [] });
      }
    });
  });

  describe(`defaults are taken out again on ${engine}`, () => {
    const undo = () => place.planned([after], (planner) => planner.undoFill('boats'));
    const filledIn = async () => {
      const found = await place.planned([after], (planner) => planner.filledIn('boats'));
      return found.map(({ path, documents }) => [path, documents]);
    };
    const lying = () => Promise.all(seed.map(({ id }) => place.membersOf(id)));

    test('and each document is byte for byte what it was, and nothing is noted any more', async () => {
      await start();
      const lain = await lying();
      await fill();
      expect(await filledIn()).toEqual([['masts', 1], ['crew', 2], ['port.berth', 1]]);
      expect([await undo(), await lying(), await filledIn()]).toEqual([2, lain, []]);
      expect([await undo(), await lying()]).toEqual([0, lain]);
    });

    test('also where a later version filled in more, and where each document was given its own', async () => {
      await start();
      const lain = await lying();
      await fill();
      const later: Resource = resource({
        ...common, shapes, validation: { level: 'off' },
        schema: afterSchema.extend({
          hull: z.object({ wood: z.string().default('oak') }).default({ wood: 'oak' }), tag: z.uuid().default(newTag),
        }),
      });
      await place.planned([later], (planner) => planner.fill(later));
      expect(await filledIn()).toContainEqual(['tag', 3]);
      expect([await undo(), await lying(), await filledIn()]).toEqual([5, lain, []]);
    });

    test('but stay where somebody has written since, whatever was written; what is gone is forgotten', async () => {
      await start();
      await fill();
      await place.store.write([
        decide(before, 'lacks', (standing) => ({ kind: 'put', document: { ...withoutId(standing?.value), name: 'Gjoa' } })),
        remove(before, 'wrong'),
      ], inTime());
      expect([await undo(), await filledIn()]).toEqual([0, [['masts', 1], ['crew', 1], ['port.berth', 1]]]);
      expect((await place.store.get(after, 'lacks', inTime())).value?.value).toMatchObject({ name: 'Gjoa', masts: 2, crew: [] });
    });

    test('a batch that holds a document which the checks refuse is noted without it, and taken out', async () => {
      const strict: Resource = resource({ ...common, shapes, schema: after.schema, validation: { level: 'strict' } });
      place = await open({ resources: [strict], seed });
      const lain = await lying();
      await place.planned([strict], (planner) => planner.fill(strict));
      expect([await filledIn(), await undo(), await lying()]).toEqual([[['masts', 1], ['crew', 1], ['port.berth', 1]], 1, lain]);
    });

    test('by two at once beside writers: what they write stands, and everything else is what it was', async () => {
      const ids = Array.from({ length: 300 }, (_, index) => `b${index}`);
      await start(ids.map((id) => old(id, { name: 'x' })));
      const lain = new Map(await Promise.all(ids.map(async (id) => [id, await place.membersOf(id)] as const)));
      await fill();
      const written = ids.filter((_, index) => index % 3 === 0);
      const writing = async () => {
        for (const id of written) {
          const toNamed = (standing: { readonly value: JsonObject } | undefined) => ({ ...withoutId(standing?.value), name: id });
          await place.store.write([decide(before, id, (standing) => ({ kind: 'put', document: toNamed(standing) }))], inTime(20_000));
        }
      };
      await Promise.all([writing(), undo(), undo()]);
      for (const id of ids) {
        const document = withoutId((await place.store.get(before, id, inTime())).value?.value);
        if (written.includes(id)) expect(document).toMatchObject({ name: id });
        else expect(await place.membersOf(id)).toEqual(lain.get(id) ?? Buffer.of());
      }
    });
  });
}

const newTag = () => crypto.randomUUID();

/** One turn more; every third writer sets a member that is missing. */
function toNext(value: JsonObject | undefined, index: number): JsonObject {
  const document = withoutId(value);
  const own: JsonObject = index % 3 === 0 && document['masts'] === undefined ? { masts: 9 } : {};
  return { ...document, ...own, turns: Number(document['turns']) + 1 };
}

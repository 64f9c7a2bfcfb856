/** What `npm run apply` filled in is taken out again, on either engine. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { FilledIn } from '../../../origin/store/planned.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { decide, inTime, type OpenOptions, put, remove, withoutId } from './harness.ts';
import { after, afterSchema, before, common, old, type PlannedOptions, type PlannedPlace, seed, shapes } from './plan-suite.ts';

export function undoSuite(engine: string, open: (options: PlannedOptions) => Promise<PlannedPlace>): void {
  let place: PlannedPlace;
  const disposals = disposedAfterEach();
  const opened = async (options: PlannedOptions) => {
    place = await open(options);
    disposals.push(() => place.remove());
    return place;
  };
  const start = (planted: OpenOptions['seed'] = seed) => opened({ resources: [before], seed: planted ?? [] });
  const fill = () => place.planned([after], (planner) => planner.fill(after));

  describe(`defaults are taken out again on ${engine}`, () => {
    const toCounts = (found: readonly FilledIn[]) =>
      found.map(({ path, documents, changed, gone, refused }) => [path, documents, changed.count, gone, refused.count]);
    const filledIn = async () => toCounts(await place.planned([after], (planner) => planner.filledIn('boats')));
    const undo = () => place.planned([after], async (planner) => {
      const foreseen = await planner.filledIn('boats');
      const done = await planner.undoFill('boats');
      expect(done).toEqual(foreseen);
      return toCounts(done);
    });
    const lying = () => Promise.all(seed.map(({ id }) => place.membersOf(id)));

    test('and each document is byte for byte what it was, and nothing is noted any more', async () => {
      await start();
      const lain = await lying();
      await fill();
      expect(await filledIn()).toEqual([['crew', 2, 0, 0, 0], ['masts', 1, 0, 0, 0], ['port.berth', 1, 0, 0, 0]]);
      expect([(await undo()).length, await lying(), await filledIn()]).toEqual([3, lain, []]);
      expect([await undo(), await lying()]).toEqual([[], lain]);
    });

    test('also where later versions filled in more, within that too, and where each document was given its own', async () => {
      await start();
      const lain = await lying();
      await fill();
      const wood = { wood: z.string().default('oak') };
      const later = (hull: z.ZodObject): Resource => resource({
        ...common, shapes, validation: { level: 'off' },
        schema: afterSchema.extend({ hull: hull.prefault({}), tag: z.uuid().default(newTag) }),
      });
      for (const each of [later(z.object(wood)), later(z.object({ ...wood, keel: z.string().default('ash') }))]) {
        await place.planned([each], (planner) => planner.fill(each));
      }
      const counts = [['crew', 2], ['hull', 3], ['hull.keel', 3], ['masts', 1], ['port.berth', 1], ['tag', 3]];
      expect(await undo()).toEqual(counts.map((each) => [...each, 0, 0, 0]));
      expect([await lying(), await filledIn()]).toEqual([lain, []]);
    });

    test('also of what somebody has written to, but for a value that they put in its place; what is gone is forgotten', async () => {
      await start([...seed, old('other', { name: 'Belgica' }), old('none', { name: 'Nimrod' })]);
      await fill();
      const written = (id: string, change: (value: JsonObject) => JsonObject) =>
        decide(before, id, (standing) => ({ kind: 'put', document: change(withoutId(standing?.value)) }));
      await place.store.write([
        written('lacks', (value) => ({ ...value, name: 'Gjoa', sail: [1.5], port: { ...Object(value['port']), quay: 1 } })),
        written('other', (value) => ({ ...value, masts: 3, crew: ['Ada'] })),
        written('none', ({ name, crew }) => ({ name: name ?? null, crew: crew ?? null })),
        remove(before, 'wrong'),
      ], inTime());
      expect(await undo()).toEqual([['crew', 2, 1, 1, 0], ['masts', 1, 1, 1, 0], ['port.berth', 1, 0, 0, 0]]);
      const now = async (id: string) => withoutId((await place.store.get(before, id, inTime())).value?.value);
      const { port: harbour, ...rest } = Object(seed[0]?.document) as JsonObject;
      expect(await now('lacks')).toEqual({ ...rest, name: 'Gjoa', sail: [1.5], port: { ...Object(harbour), quay: 1 } });
      expect([await now('other'), await now('none')]).toEqual([{ name: 'Belgica', masts: 3, crew: ['Ada'] }, { name: 'Nimrod' }]);
      expect(await filledIn()).toEqual([]);
    });

    test('what others wrote into a document that was filled in stands byte for byte, as if it had never been', async () => {
      const ids = ['a', 'b', 'c'];
      await start(ids.map((id) => old(id, { name: id })));
      const change = (id: string) => decide(before, id, (standing) => ({
        kind: 'put', document: { ...withoutId(standing?.value), name: `${id}\u00e9`, log: [{ id, at: 1e300 }], port: { berth: 4 } },
      }));
      await place.store.write(ids.map(change), inTime());
      const lain = await Promise.all(ids.map((id) => place.membersOf(id)));
      await place.store.write(ids.map((id) => put(before, id, { name: id })), inTime());
      await fill();
      await place.store.write(ids.map(change), inTime());
      await undo();
      expect(await Promise.all(ids.map((id) => place.membersOf(id)))).toEqual(lain);
    });

    test('a batch that holds a document which the checks refuse is noted without it, and taken out', async () => {
      const strict: Resource = resource({ ...common, shapes, schema: after.schema, validation: { level: 'strict' } });
      await opened({ resources: [strict], seed });
      const lain = await lying();
      await place.planned([strict], (planner) => planner.fill(strict));
      expect(await undo()).toEqual([['crew', 1, 0, 0, 0], ['masts', 1, 0, 0, 0], ['port.berth', 1, 0, 0, 0]]);
      expect(await lying()).toEqual(lain);
    });

    test('by two at once beside writers: what they write stands, and everything else is what it was', async () => {
      const ids = Array.from({ length: 150 }, (_, index) => `b${index}`);
      await start(ids.map((id) => old(id, { name: 'x' })));
      const lain = new Map(await Promise.all(ids.map(async (id) => [id, await place.membersOf(id)] as const)));
      await Promise.all([fill(), fill()]);
      expect(await filledIn()).toEqual([['crew', 150, 0, 0, 0], ['masts', 150, 0, 0, 0]]);
      const written = ids.filter((_, index) => index % 3 === 0);
      const writing = async () => {
        for (const id of written) {
          const toNamed = (standing: { readonly value: JsonObject } | undefined) => ({ ...withoutId(standing?.value), name: id });
          await place.store.write([decide(before, id, (standing) => ({ kind: 'put', document: toNamed(standing) }))], inTime(20_000));
        }
      };
      const undoing = () => place.planned([after], (planner) => planner.undoFill('boats'));
      const [, ...undone] = await Promise.all([writing(), undoing(), undoing()]);
      const taken = undone.flat().filter(({ path }) => path === 'crew');
      expect(taken.reduce((sum, { documents }) => sum + documents, 0)).toBe(150);
      expect(undone.flat().map(({ changed, refused }) => changed.count + refused.count).filter((count) => count > 0)).toEqual([]);
      expect(await filledIn()).toEqual([]);
      for (const id of ids) {
        const document = withoutId((await place.store.get(before, id, inTime())).value?.value);
        if (written.includes(id)) expect(document).toEqual({ name: id });
        else expect(await place.membersOf(id)).toEqual(lain.get(id) ?? Buffer.of());
      }
    }, 30_000);
  });
}

const newTag = () => crypto.randomUUID();

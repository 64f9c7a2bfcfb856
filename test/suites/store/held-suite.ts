/** One state, read in steps while everything changes: it shows what a list of that moment shows. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { HeldState, ListRequest, Read, Row } from '../../../origin/store/store.ts';
import { documentArbitrary, idArbitrary, requestArbitrary } from './arbitraries.ts';
import { inTime, type OpenPlace, type Place, put, reasonOf, remove } from './harness.ts';
import { type listSuite, readAll } from './list-suite.ts';
import { soakFactor } from './soak.ts';
import { effects as others, open as things } from './things.ts';

/** What it shows, with something that happens after each step. */
async function readHeld(held: HeldState, request: ListRequest, between: () => Promise<unknown>): Promise<readonly string[]> {
  const texts: string[] = [];
  for (let after = request.after; ; ) {
    const { value: rows }: Read<readonly Row[]> = await held.list(things, { ...request, after }, inTime());
    texts.push(...rows.map(({ document }) => document.text));
    if (rows.length < request.limit) return texts;
    after = rows.at(-1)?.keys;
    await between();
  }
}

export function heldSuite(open: OpenPlace, holds: Parameters<typeof listSuite>[1]): void {
  describe('a state that is held', () => {
    const fitting = documentArbitrary(things).filter((document) => holds(things, document));
    const seed = fc.sample(fc.tuple(idArbitrary(things), fitting), { numRuns: 60, seed: 3 })
      .map(([id, document]) => ({ resource: things, id, document }));
    const writeArbitrary = fc.tuple(idArbitrary(things), fitting, fc.boolean());
    let place: Place;
    beforeAll(async () => {
      place = await open({ resources: [things, others], seed: [...new Map(seed.map((each) => [each.id, each])).values()] });
    });
    afterAll(() => place.remove());

    test('shows what was there when it began, whatever is written between its steps', async () => {
      await fc.assert(fc.asyncProperty(requestArbitrary(things), fc.array(writeArbitrary, { minLength: 1 }), async (asked, writes) => {
        const { store } = place;
        const request = { ...asked, after: undefined, limit: 5 };
        const expected = (await readAll(store, things, request)).map(({ document }) => document.text);
        const held = await store.hold([things, others], inTime());
        const rest = [...writes];
        const change = async () => {
          const [id, document, isRemoved] = rest.pop() ?? [];
          if (id === undefined || document === undefined) return;
          await store.write([isRemoved === true ? remove(things, id) : put(things, id, document)], inTime());
        };
        await change();
        expect(await readHeld(held, request, change)).toEqual(expected);
        await held.close();
      }), { numRuns: 25 * soakFactor });
    });

    test('has what was written at the position that is demanded, and is closed as often as one likes', async () => {
      const { position } = await place.store.write([put(things, 'late', { text: 'late' })], inTime());
      const held = await place.store.hold([things, others], { ...inTime(), atLeast: position });
      await place.store.write([remove(things, 'late')], inTime());
      const shown = await readHeld(held, everything, async () => undefined);
      expect(shown.filter((text) => text.includes('"late"'))).toHaveLength(1);
      await held.close();
      await held.close();
    });

    test('is one of all its resources, by their ids too', async () => {
      const [text, id] = ['before', 'together'];
      await place.store.write([put(things, id, { text }), put(others, id, { text })], inTime());
      const held = await place.store.hold([things, others], inTime());
      await place.store.write([put(things, id, { text: 'after' }), remove(others, id), put(others, 'new', { text })], inTime());
      for (const each of [others, things]) {
        const { value: found, position } = await held.many(each, [id, 'new', 'nowhere'], inTime());
        expect(found.map(({ value }) => value['text'])).toEqual([text]);
        expect(position).toEqual(held.position);
      }
      expect((await held.list(others, everything, inTime())).value.map(({ document }) => document.id)).toEqual([id]);
      expect(await reasonOf(held.many(things, [id], { deadline: Date.now() - 1 }))).toBe('deadline_exceeded');
      await held.close();
    });

    test('ends with its store', async () => {
      const held = await place.store.hold([things, others], inTime());
      expect((await held.list(things, everything, inTime())).value.length).toBeGreaterThan(0);
      const store = await place.reopen();
      expect(await reasonOf(held.list(things, everything, inTime()))).toBe('store_unavailable');
      expect((await store.list(things, everything, inTime())).value.length).toBeGreaterThan(0);
    });
  });
}

const everything: ListRequest = {
  equal: {}, range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined, limit: 1_000,
};

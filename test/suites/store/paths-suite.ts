/** What stands inside others, on any engine: written at random, where branches differ, and of the wrong type (SEMANTICS §14). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { requestArbitrary, validArbitrary } from './arbitraries.ts';
import { inTime, type OpenPlace, type Place, put, remove } from './harness.ts';
import { readAll } from './list-suite.ts';
import { naiveList } from './naive.ts';
import { soakFactor } from './soak.ts';
import { nested } from './things.ts';

const boxes = resource({
  name: 'boxes',
  id: { kind: 'string', format: z.string() },
  schema: z.object({
    form: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('round'), radius: z.number(), deep: z.object({ at: z.int() }).optional() }),
      z.object({ kind: z.literal('flat') }),
    ]).optional(),
  }),
  rules: { read: anyone, write: anyone },
  shapes: { byRadius: { sort: ['form.radius'] }, ofRadius: { equal: ['form.radius'] }, byAt: { sort: ['-form.deep.at,form.kind'] } },
});

export function pathsSuite(open: OpenPlace): void {
  describe('what stands inside others', () => {
    let place: Place;
    beforeAll(async () => (place = await open({ resources: [nested, boxes] })));
    afterAll(() => place.remove());

    test('is found and ordered as it is after every write', async () => {
      const expected = new Map<string, JsonObject>();
      const step = fc.record({ id: fc.constantFrom(...'abcdefgh'), document: fc.option(validArbitrary(nested), { freq: 4 }) });
      const asking = fc.array(requestArbitrary(nested), { minLength: 4, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), asking, async (steps, requests) => {
          const mutations = steps.map(({ id, document }) => {
            if (document === null) expected.delete(id);
            else expected.set(id, document);
            return document === null ? remove(nested, id) : put(nested, id, document);
          });
          const { outcomes } = await place.store.write(mutations, inTime());
          expect(outcomes.map(({ kind }) => kind)).toEqual(mutations.map(() => 'written'));
          for (const request of requests) {
            const rows = await readAll(place.store, nested, request);
            const all = naiveList(nested, expected, { ...request, limit: 100 });
            expect(rows.map(({ document }) => document.id)).toEqual(all.map(({ id }) => id));
          }
        }),
        { numRuns: 30 * soakFactor },
      );
    }, 60_000 * soakFactor);

    test('is ordered by whatever stands there where some branches of a union alone name it, and found in those', async () => {
      const documents = new Map<string, JsonObject>([
        ['r1', { form: { kind: 'round', radius: 2, deep: { at: 3 } } }], ['r2', { form: { kind: 'round', radius: 1 } }],
        ['f1', { form: { kind: 'flat', radius: [1, 9] } }], ['f2', { form: { kind: 'flat', radius: 1, deep: [{ at: 4 }] } }],
        ['f3', { form: { kind: 'flat', radius: 'x', deep: 7 } }], ['n', {}],
      ]);
      const { outcomes } = await place.store.write([...documents].map(([id, document]) => put(boxes, id, document)), inTime());
      expect(outcomes.map(({ kind }) => kind)).toEqual([...documents].map(() => 'written'));
      for (const { equal: [field], sorts } of boxes.shapes) for (const sort of sorts) {
        const equal = field === undefined ? {} : { [field]: [1] };
        const request: ListRequest = { equal, range: undefined, sort, where: true, after: undefined, limit: 2 };
        const rows = await readAll(place.store, boxes, request);
        // A filter finds nothing that a document's own branch does not name (SEMANTICS §16); an order walks what is stored.
        const asked = field === undefined ? documents : new Map([...documents].filter(([id]) => id.startsWith('r')));
        expect(rows.map(({ document }) => document.id)).toEqual(naiveList(boxes, asked, { ...request, limit: 9 }).map(({ id }) => id));
      }
    });

    test('is of its type where an index holds it, whatever the caller checked', async () => {
      const fates = async (...documents: readonly JsonObject[]) => {
        const ids = documents.map((_document, index) => `w${index}`);
        const { outcomes } = await place.store.write(documents.map((document, index) => put(nested, ids[index] ?? '', document)), inTime());
        await place.store.write(ids.map((id) => remove(nested, id)), inTime());
        return outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.fault.errors.map(({ at }) => at) : outcome.kind));
      };
      const wrong = [{ imdb: { rating: 'x' } }, { imdb: { by: [{ name: 'a' }] } }, { imdb: { by: { name: 1 } } }, { imdb: [] }];
      expect(await fates(...wrong)).toEqual([['/imdb/rating'], ['/imdb/by'], ['/imdb/by/name'], ['/imdb']]);
      const others = await fates({ imdb: { rating: null, by: {} } }, { imdb: { other: [1] } }, { grades: [{ grade: 1 }] });
      expect(others).toEqual(['written', 'written', 'written']);
    });
  });
}

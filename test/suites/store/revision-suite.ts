/** What a write to a document that is there makes of it, on any engine, at random. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../../shared/wire/values.ts';
import { BlockPlace } from './block-place.ts';
import { type OpenPlace, put, textOf } from './harness.ts';
import { soakFactor } from './soak.ts';
import { open as things } from './things.ts';

const names = fc.constantFrom('a', 'b', 'text', '$x', 'a.b', '', 'ü');
const plain = fc.constantFrom<Json>(null, 1, 1.5, 'x', true, '2026-01-01T00:00:00.000Z');
const { any: value } = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, plain, fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(names, tie('any'), { maxKeys: 4 })),
}));
const document: fc.Arbitrary<JsonObject> = fc.dictionary(fc.constantFrom('other', 'free', 'more', 'last'), value, { maxKeys: 4 });

export function revisionSuite(open: OpenPlace): void {
  const place = new BlockPlace(open, [things]);

  describe('a document that is written anew', () => {
    test('is the one that was given, in the text that a read shows', async () => {
      let made = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(document, { minLength: 2, maxLength: 4 }), async (documents) => {
          const id = `r${++made}`;
          for (const next of documents) {
            const { outcomes } = await place.write(put(things, id, next));
            const shown = await textOf(place.store, things, id);
            expect(outcomes.map((outcome) => (outcome.kind === 'written' ? outcome.after?.text : outcome.kind))).toEqual([shown]);
            expect(JSON.parse(shown ?? '')).toEqual({ id, ...next });
          }
          const atOnce = `${id}-at-once`;
          await place.write(...documents.map((next) => put(things, atOnce, next)));
          expect(JSON.parse((await textOf(place.store, things, atOnce)) ?? '')).toEqual({ id: atOnce, ...documents.at(-1) });
        }),
        { numRuns: 60 * soakFactor },
      );
    }, 20_000 * soakFactor);
  });
}

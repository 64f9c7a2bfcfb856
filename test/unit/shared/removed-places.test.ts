/** A place that an older version alone has: shown the same everywhere, and taken for nothing (SEMANTICS §19). */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { mergePatch } from '../../../shared/contract/merge-patch.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { added, moved, removed } from '../../../shared/versions/changes.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';

const three = versions({ name: 'v1' }, { name: 'v2' }, { name: 'v3' });
const text = fc.string({ maxLength: 5 });
const opt = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

describe('what the next version has not', () => {
  const odds = resource({
    name: 'odds', rules: { read: anyone }, shapes: { all: {} },
    schema: z.object({
      title: z.string(), image: z.object({ url: z.string().optional() }).optional(),
      lines: z.array(z.object({ name: z.string().optional() })).optional(), kind: z.string().optional(),
    }),
    versions: {
      v1: [moved({ heading: 'title' }), removed('score', { schema: z.number(), shown: null })],
      v2: [
        removed('stars', { schema: z.int(), shown: 3 }), removed('image.alt', { schema: z.string(), shown: '' }),
        removed('lines.vat', { schema: z.number(), shown: 0.2 }), removed('extra.deep', { schema: z.array(z.string()), shown: [] }),
        // Another thing under the same name.
        removed('kind', { schema: z.number(), shown: 1 }), added('kind', 'new'),
      ],
    },
  });
  const all = contract(three, odds);
  const [v1 = three.current] = three.all;
  const through = dialectOf(all, { operation: documents.list, resource: odds }, v1)?.input;
  if (through === undefined) throw new Error('nothing differs');
  const translation = through;

  test('is shown the same in every document, where that has what it stands in', () => {
    expect(contractMistakes(all)).toEqual([]);
    expect(translation.down({ title: 't', kind: 'k', lines: [{ name: 'x' }, {}] })).toEqual({
      heading: 't', kind: 1, stars: 3, score: null, extra: { deep: [] }, lines: [{ name: 'x', vat: 0.2 }, { vat: 0.2 }],
    });
    expect(translation.down({ title: 't', image: {} })).toMatchObject({ image: { alt: '' } });
  });

  const oddity: fc.Arbitrary<JsonObject> = fc.record({
    id: text, title: text, image: opt(fc.record({ url: text }, { requiredKeys: [] })), kind: fc.constant('new'),
    lines: opt(fc.array(fc.record({ name: text }, { requiredKeys: [] }), { maxLength: 3 })),
  }).map((each) => JSON.parse(JSON.stringify(each)) as JsonObject);

  test('makes no difference down and up again', () => fc.assert(fc.property(oddity, (odd) => {
    expect(translation.up(translation.down(odd), 'document')).toEqual(odd);
  })));

  test('is taken and changes nothing, in documents and patches', () => fc.assert(fc.property(oddity, (odd) => {
    const sent = { stars: 5, score: 1, kind: 7, extra: { deep: ['x'] }, image: { alt: 'a' } };
    expect(mergePatch(odd, translation.up(sent, 'patch'))).toEqual(odd);
    const made = translation.up({ heading: 't', ...sent, lines: [{ vat: 9 }] }, 'document');
    expect(made).toEqual({ title: 't', image: {}, kind: 'new', lines: [{}] });
    expect(translation.up({ image: null, extra: null }, 'patch')).toEqual({ image: null });
  })));

  test('is of the type that it had, and neither asked for nor sorted by', () => {
    const refusal = (run: () => unknown) => {
      try {
        return run();
      } catch (thrown) {
        return thrown instanceof Fault ? thrown.errors.map(({ at, detail }) => `${at}: ${detail}`) : thrown;
      }
    };
    expect(refusal(() => translation.up({ heading: 't', stars: 'many', lines: [{ vat: 'x' }] }, 'document'))).toEqual([
      expect.stringMatching(/^\/stars: /), expect.stringMatching(/^\/lines\/0\/vat: /),
    ]);
    const queries = [['?stars=3', 'stars'], ['?extra=1', 'extra'], ['?sort=-score', 'sort'], ['?lines.vat[gte]=1', 'lines.vat']] as const;
    for (const [query, at] of queries) {
      const place = query.replace(/[?\-]|sort=|[=[].*/g, '');
      expect(refusal(() => translation.upQuery(query))).toEqual([`${at}: "${place}" is the same in every document, and is shown alone`]);
    }
    const fields = ['?fields=heading,stars', '?fields=score,extra'].map((query) => translation.upQuery(query));
    expect(fields).toEqual(['?fields=title', '?fields=id']);
  });
});

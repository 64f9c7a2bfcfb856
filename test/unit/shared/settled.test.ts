/** What is laid over a stored document, at random: nothing undeclared is lost, and what was served is taken back. */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { matchElements } from '../../../shared/contract/elements.ts';
import { mustPatched } from '../../../shared/contract/patched.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { isSameJson, mustReplaced } from '../../../shared/contract/settled.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { cpuMsOf } from '../../support/cpu-time.ts';

const part = z.object({ sku: z.string(), inner: z.object({ n: z.number() }).optional() });
const goods = resource({
  name: 'goods',
  schema: z.object({ name: z.string(), parts: z.array(part).optional(), one: part.optional(), free: z.unknown().optional() }),
  shapes: {},
  extra: 'serve',
});

/** A few values, so that elements are often alike. */
const few = fc.constantFrom('a', 'b');
const undeclared = fc.record({ _id: fc.nat(3), extra: few }, { requiredKeys: [] });
const innerArbitrary = fc.tuple(fc.record({ n: fc.nat(2) }), undeclared).map(([declared, others]) => ({ ...others, ...declared }));
const partArbitrary = fc
  .tuple(fc.record({ sku: few, inner: innerArbitrary }, { requiredKeys: ['sku'] }), undeclared)
  .map(([declared, others]) => ({ ...declared, ...others }));
const storedArbitrary = fc
  .tuple(
    fc.record(
      { name: few, parts: fc.array(partArbitrary, { maxLength: 5 }), one: partArbitrary, free: fc.json().map((text) => JSON.parse(text)) },
      { requiredKeys: ['name'] },
    ),
    undeclared,
  )
  .map(([declared, others]) => ({ ...declared, ...others }) as JsonObject);

function replaced(sent: JsonObject, stored: JsonObject): JsonObject {
  return mustReplaced(goods, { sent, parsed: sent }, stored);
}

/** The document without what the schema does not name. */
function declaredOf(stored: JsonObject): JsonObject {
  return JSON.parse(
    JSON.stringify(stored, (name, value: unknown) => (name === '_id' || name === 'extra' ? undefined : value)),
  ) as JsonObject;
}

test('a document that is sent back as it was served, or without what is undeclared, is the one that is stored', () => {
  fc.assert(fc.property(storedArbitrary, (stored) => {
    const { free: _free, ...bounded } = stored;
    expect(replaced(stored, stored)).toEqual(stored);
    expect(replaced(declaredOf(bounded), bounded)).toEqual(bounded);
    expect(mustPatched(goods, stored, {})).toEqual(stored);
  }), { numRuns: 1_000 });
});

test('an array that is sent back in another order keeps what its elements have, whether that was sent or not', () => {
  fc.assert(
    fc.property(
      storedArbitrary.chain((stored) => fc.tuple(fc.constant(stored), fc.shuffledSubarray([...((stored['parts'] ?? []) as JsonObject[])]))),
      ([stored, parts]) => {
        expect(mustPatched(goods, stored, { parts })['parts']).toEqual(parts);
        const kept = mustPatched(goods, stored, { parts: parts.map(declaredOf) })['parts'] as JsonObject[];
        expect(kept.map(declaredOf)).toEqual(parts.map(declaredOf));
        // The parts are ones that were stored, none twice.
        const left = [...((stored['parts'] ?? []) as JsonObject[])];
        for (const element of kept) {
          const at = left.findIndex((each) => isSameJson(each, element));
          expect(at).toBeGreaterThanOrEqual(0);
          left.splice(at, 1);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});

test('members that the schema does not name may be called as the language calls its own', () => {
  const named = { own: { toString: 1 }, other: 2 };
  const stored = { name: 'a', parts: [{ sku: 'a', ...named }, { sku: 'b' }] };
  expect(mustPatched(goods, stored, { parts: [{ sku: 'b' }, { sku: 'a' }] })['parts']).toEqual([{ sku: 'b' }, { sku: 'a', ...named }]);
});

test('thousands of elements and members that are alike are matched in one pass', () => {
  const [before, after] = [1, 2].map((value) => new Array(60_000).fill({ value })) as [JsonObject[], JsonObject[]];
  const wide = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`_${index}`, index]));
  const cpuMs = cpuMsOf(() => {
    expect(matchElements(() => undefined, after, [...before, { value: 3 }]).every((index) => index === undefined)).toBe(true);
    expect(matchElements(() => undefined, [{ value: 1 }, ...after, { value: 1 }], before).at(-1)).toBe(1);
    expect(Object.keys(mustPatched(goods, { name: 'a', ...wide }, { name: 'b' }))).toHaveLength(60_001);
  });
  expect(cpuMs).toBeLessThan(5_000);
});

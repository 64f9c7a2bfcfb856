/**
 * Where what is not declared is served, a field that a caller may write and not read is not guessed by what an answer says of
 * the members beside it (SEMANTICS §16, §17).
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const staff = role('staff');
const cards = resource({
  name: 'cards', id: { kind: 'string', format: z.string() }, extra: 'serve',
  schema: z.object({
    slots: z.array(z.object({ sku: z.string(), pin: z.int().optional(), size: z.object({ n: z.int() }).optional() })),
    terms: z.object({ days: z.int().optional() }).optional(),
  }),
  rules: { read: anyone, write: anyone },
  fieldRules: { 'slots.pin': { read: staff }, terms: { read: staff } },
  shapes: { all: {} },
});
const stored: JsonObject = {
  slots: [
    { sku: 'x', pin: 1, size: { n: 1, unit: 'cm' }, more: 'p' }, { sku: 'x', pin: 2, size: { n: 1, unit: 'm' }, more: 'q' },
  ],
  terms: { days: 3, rate: 4 },
  rev: 1, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z',
};
const bob: Principal = { subject: 'bob', roles: [], claims: {} };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  let made = 0;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(cards))));
  afterAll(() => origin[Symbol.asyncDispose]());

  type Write = readonly [operation: 'replace' | 'patch' | 'import', asking: DirectAsking];
  const ways: Readonly<Record<string, (body: JsonObject, id: string) => Write>> = {
    patch: (body, id) => ['patch', { id, body }],
    replace: (body, id) => ['replace', { id, body: { slots: [], ...body } }],
    ...Object.fromEntries(['reject', 'skip', 'replace', 'merge'].map((mode) => [
      `import with onDuplicate=${mode}`,
      (body: JsonObject, id: string): Write => ['import', { query: `?onDuplicate=${mode}`, body: { id, slots: [], ...body } }],
    ])),
  };

  /** All that the caller sees of a write: what it answers, and the document as it is shown then. */
  async function told(way: string, body: JsonObject): Promise<string> {
    const id = `c${++made}`;
    await origin.put(cards, id, stored);
    const [operation, asking] = ways[way]!(body, id);
    const { outcome, detail, errors, text } = await origin.ask(operation, cards, { principal: bob, ...asking });
    const seen = await origin.ask('get', cards, { id, principal: bob });
    return JSON.stringify([outcome, detail, errors, text, seen.text])
      .replaceAll(id, 'ID').replace(/\\"position\\":\\"[^"]*\\"/, '').replace(/\\"updatedAt\\":\\"[^"]*\\"/g, '');
  }
  const slotsOf = (pin: number, ...others: JsonObject[]): JsonObject => ({ slots: [{ sku: 'x', pin, ...others[0] }, ...others.slice(1)] });
  const guesses: readonly (readonly [name: string, toBody: (guess: number) => JsonObject, right: number])[] = [
    ['where another of its element is sent', (pin) => slotsOf(pin, { size: { n: 1, unit: 'm' } }), 2],
    ['by which element keeps what is not sent', (pin) => slotsOf(pin, { size: { n: 1 } }), 2],
    ['by all of its element', (pin) => slotsOf(pin, { size: { n: 1, unit: 'm' }, more: 'q' }, { sku: 'y' }), 2],
    ['in an object that is hidden whole', (rate) => ({ terms: { days: 3, rate } }), 4],
  ];
  for (const way of Object.keys(ways)) {
    test.each([...guesses])(`a ${way} tells no right guess from a wrong one %s`, async (_how, toBody, right) => {
      expect(await told(way, toBody(right))).toBe(await told(way, toBody(77)));
    });
  }

  test('what is stored beside it and not declared is kept, whoever names it', async () => {
    for (const operation of ['replace', 'patch'] as const) {
      const id = `c${++made}`;
      await origin.put(cards, id, stored);
      const [first, second] = stored['slots'] as readonly JsonObject[];
      const { pin: _pin, ...shown } = second!;
      const body = { slots: [shown, { ...first!, pin: 5 }], terms: { days: 9 } };
      expect((await origin.ask(operation, cards, { id, principal: bob, body })).outcome).toBe('written');
      const after = await origin.stored(cards, id);
      expect(after).toMatchObject({ slots: [second!, { ...first!, pin: 5 }], terms: { days: 9, rate: 4 } });
    }
  });
});

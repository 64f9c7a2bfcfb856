/** Unique keys, on any engine: declared values that no two documents share, whoever writes and however. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { decimal, instant, objectId } from '../../../shared/contract/types.ts';
import { uniqueKeyOf } from '../../../shared/contract/unique.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Mutation, Outcome } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';
import { BlockPlace } from './block-place.ts';
import { inTime, type OpenPlace, put, remove, withoutId } from './harness.ts';

const members = resource({
  name: 'members', id: { kind: 'string', format: z.string() },
  storedAs: { 'at.place': 'first place', gone: 'gone since' },
  schema: z.object({
    email: z.string().nullable().optional(),
    nick: z.string().optional(),
    status: z.string().optional(),
    year: z.number().optional(),
    price: decimal().optional(),
    open: z.boolean().optional(),
    since: instant().optional(),
    link: objectId().optional(),
    at: z.object({ place: z.string().optional(), seat: z.int().optional() }).optional(),
  }),
  rules: { read: anyone, write: anyone },
  removal: { at: 'gone' },
  shapes: { all: {} },
  unique: {
    byEmail: { fields: ['email'], ignoringCase: true },
    bySeat: { fields: ['at.place', 'at.seat'] },
    byActiveNick: { fields: ['nick'], where: { status: 'active' } },
    byYear: { fields: ['year'] },
    byPrice: { fields: ['price'] },
    byOpenLink: { fields: ['link', 'open'] },
    bySince: { fields: ['since'], where: { open: true } },
  },
});

function told(outcomes: readonly Outcome[]) {
  return outcomes.map((outcome) =>
    outcome.kind === 'refused' ? [outcome.fault.reason, ...outcome.fault.errors.map(({ at }) => at)] : outcome.kind);
}

export function uniqueSuite(open: OpenPlace): void {
  describe('a unique key', () => {
    const place = new BlockPlace(open, [members]);
    const written = async (...mutations: readonly Mutation[]) => told((await place.write(...mutations)).outcomes);
    const active = (id: string, nick: string) => put(members, id, { nick, status: 'active' });
    const taken = (...at: readonly string[]) => ['document_conflict', ...at];

    test('is one document\'s, and says where a second one has it', async () => {
      expect(await written(put(members, 'u1', { email: 'ada@example.org' }))).toEqual(['written']);
      expect(await written(put(members, 'u2', { email: 'ada@example.org' }), put(members, 'u3', { email: 'bea@example.org' })))
        .toEqual([taken('/email'), 'written']);
      expect(await written(put(members, 'u3', { email: 'ada@example.org' }))).toEqual([taken('/email')]);
    });

    test('that ignores case is the same in capitals, and is printable ASCII', async () => {
      await written(put(members, 'c1', { email: 'Cy@Example.org' }));
      expect(await written(put(members, 'c2', { email: 'cY@eXAMPLE.org' }))).toEqual([taken('/email')]);
      expect(await written(put(members, 'c3', { email: 'cÿ@example.org' }))).toEqual([['document_invalid', '/email']]);
    });

    test('of several fields is taken in combination alone, by their names on the wire', async () => {
      expect(await written(
        put(members, 's1', { at: { place: 'a', seat: 1 } }), put(members, 's2', { at: { place: 'a', seat: 2 } }),
        put(members, 's3', { at: { place: 'A', seat: 1 } }), put(members, 's4', { at: { place: 'a', seat: 1 } }),
        put(members, 's5', { at: { place: 'a' } }), put(members, 's6', { at: { place: 'a' } }),
      )).toEqual(['written', 'written', 'written', taken('/at/place', '/at/seat'), 'written', 'written']);
    });

    test('is not what is missing or null', async () => {
      expect(await written(put(members, 'n1', {}), put(members, 'n2', {}))).toEqual(['written', 'written']);
      expect(await written(put(members, 'n3', { email: null }), put(members, 'n4', { email: null }))).toEqual(['written', 'written']);
    });

    test('with a condition is that of the documents that meet it', async () => {
      expect(await written(
        put(members, 'w1', { nick: 'wren', status: 'gone' }), put(members, 'w2', { nick: 'wren', status: 'active' }),
        put(members, 'w3', { nick: 'wren' }), put(members, 'w4', { nick: 'wren', status: 'active' }),
        put(members, 'w1', { nick: 'wren', status: 'active' }),
      )).toEqual(['written', 'written', 'written', taken('/nick'), taken('/nick')]);
    });

    test('is compared exactly', async () => {
      expect(await written(
        put(members, 'x1', { year: 0.1 }), put(members, 'x2', { year: 0.1 + Number.EPSILON / 8 }), put(members, 'x3', { year: 1e-1 }),
        put(members, 'x4', { price: '0.10' }), put(members, 'x5', { price: '0.1' }), put(members, 'x6', { price: '0.1000000000000000001' }),
      )).toEqual(['written', 'written', taken('/year'), 'written', taken('/price'), 'written']);
    });

    test('is free again once its document is gone or has another, in the order of the write', async () => {
      await written(active('f1', 'finch'));
      expect(await written(
        active('f2', 'finch'), remove(members, 'f1'), active('f2', 'finch'), active('f2', 'gull'), active('f1', 'finch'),
      )).toEqual([taken('/nick'), 'written', 'written', 'written', 'written']);
    });

    test('is not that of a document that is removed and stays, until it is restored', async () => {
      const gone = '2020-01-01T00:00:00.000Z';
      await written(active('k1', 'kite'));
      expect(await written(put(members, 'k1', { nick: 'kite', status: 'active', gone }), active('k2', 'kite'), active('k1', 'kite')))
        .toEqual(['written', 'written', taken('/nick')]);
      expect(await written(put(members, 'k3', { nick: 'kite', status: 'active', gone }), remove(members, 'k2'), active('k1', 'kite')))
        .toEqual(['written', 'written', 'written']);
      expect(await written(active('k2', 'kite'))).toEqual([taken('/nick')]);
    });

    test('that is taken undoes an atomic write', async () => {
      const { outcomes } = await place.store.write(
        [active('a1', 'auk'), active('a2', 'auk')], { ...inTime(), atomic: true },
      );
      expect(told(outcomes)).toEqual(['undone', taken('/nick')]);
      expect(await written(active('a3', 'auk'))).toEqual(['written']);
    });

    test('is written once by two hundred who want it at the same time', async () => {
      const racing = Array.from({ length: 200 }, (_, n) => place.write(put(members, `r${n}`, { email: 'race@example.org' })));
      const all = await Promise.all(racing);
      const kinds = Map.groupBy(all.flatMap(({ outcomes }) => told(outcomes)), String);
      expect([...kinds].map(([kind, each]) => [kind, each.length]).sort()).toEqual([['document_conflict,/email', 199], ['written', 1]]);
    });
  });

  describe('unique keys at random', () => {
    const place = new BlockPlace(open, [members]);

    test('are refused and kept as a naive interpreter says', async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = new Random(seed);
      const stored = new Map<string, JsonObject>();
      const isFree = (id: string, document: JsonObject) =>
        members.unique.every((unique) => {
          const key = uniqueKeyOf(members, unique, document);
          return key === undefined || [...stored].every(([other, each]) => other === id || uniqueKeyOf(members, unique, each) !== key);
        });
      for (let round = 0; round < 60; round++) {
        const asked = Array.from({ length: 1 + random.below(6) }, () => ({
          id: `m${random.below(12)}`, document: random.chance(0.2) ? undefined : randomMember(random),
        }));
        const expected = asked.map(({ id, document }) => {
          if (document === undefined) stored.delete(id);
          else if (!isFree(id, document)) return 'refused';
          else stored.set(id, document);
          return 'written';
        });
        const { outcomes } = await place.write(
          ...asked.map(({ id, document }) => (document === undefined ? remove(members, id) : put(members, id, document))));
        expect(outcomes.map(({ kind }) => kind), `seed ${seed}`).toEqual(expected);
      }
      for (const [id, document] of stored) {
        expect(withoutId((await place.store.get(members, id, inTime())).value?.value), `seed ${seed}`).toEqual(document);
      }
    });
  });
}

function randomMember(random: Random): JsonObject {
  const one = <T>(...values: readonly [T, ...T[]]): T => random.pick(values);
  const fields: Readonly<Record<string, JsonObject[string] | undefined>> = {
    email: one(undefined, undefined, null, 'a@b', 'A@b', 'c@d', 'e@f'),
    nick: one(undefined, 'x', 'X', 'y'),
    status: one(undefined, 'active', 'Active'),
    year: one(undefined, undefined, 0, 1, 0.1, 9_007_199_254_740_991),
    price: one(undefined, undefined, '1', '1.0', '0.1', '9007199254740993'),
    open: one(undefined, true, false),
    since: one(undefined, undefined, '2020-01-01T00:00:00.000Z', '2021-01-01T00:00:00.000Z'),
    link: one(undefined, undefined, 'a'.repeat(24), 'b'.repeat(24)),
    gone: one(undefined, undefined, undefined, '2020-01-01T00:00:00.000Z'),
    at: one(undefined, {}, { place: 'p' }, { place: 'p', seat: 1 }, { place: 'p', seat: 2 }),
  };
  return Object.fromEntries(Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

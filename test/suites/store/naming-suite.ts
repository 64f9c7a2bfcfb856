/** Documents that name others, on any engine: what a decision sees beside its own, and that nobody is named who is removed. */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { Fault } from '../../../shared/wire/fault.ts';
import { to } from '../../../shared/contract/relations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { FollowUp, Mutation, Naming, PlainDecision, Reach } from '../../../origin/store/store.ts';
import { Random } from '../../support/random.ts';
import { BlockPlace } from './block-place.ts';
import { decide, inTime, type OpenPlace, put, remove } from './harness.ts';
import { changesTo } from './read-changes.ts';
import { soakFactor } from './soak.ts';

const id = { kind: 'string', format: z.string() } as const;
const heeded = { exists: true, onDelete: 'restrict' } as const;
const films = resource({ name: 'films', id, schema: z.object({}), rules: { read: anyone }, shapes: { all: {} } });
const reviews = resource({
  name: 'reviews', id, storedAs: { film: 'the film' },
  schema: z.object({ film: z.string().optional(), by: z.string().optional(), also: z.array(z.string()).optional() }),
  // The index of the rule and its shape begins with another field.
  rules: { read: owner('by') }, shapes: { byFilm: { equal: ['film'] } }, removal: { at: 'gone' },
  relations: { film: to('films', 'film', heeded), others: to('films', 'also', heeded) },
});
const since = '2026-11-01T00:00:00.000Z';

const of = (film: string, max = 5, field = 'film'): Naming => ({ resource: reviews, field, values: [film], max });
const named = (film: string) => [{ resource: films, id: film }];
const notThere = (): PlainDecision => ({ kind: 'refuse', fault: new Fault('document_invalid') });
const isNamed = (): PlainDecision => ({ kind: 'refuse', fault: new Fault('document_conflict') });

/** A review of a film that must be there. */
function review(key: string, film: string, more: JsonObject = {}): Mutation {
  return decide(reviews, key, (_before, reach: Reach) =>
    reach.named(films, film, { stays: true }) === undefined ? notThere() : { kind: 'put', document: { film, ...more } });
}

/** Removes a film that no review names. */
function unlessNamed(film: string): Mutation {
  return decide(films, film, (before, reach: Reach) => {
    if (before === undefined) return { kind: 'keep' };
    return reach.naming(named(film), of(film, 1)).length > 0 ? isNamed() : { kind: 'remove' };
  });
}

/** Removes a film with all that name it. */
function withNaming(film: string): Mutation {
  return decide(films, film, (_before, reach: Reach) => ({
    kind: 'remove', also: reach.naming(named(film), of(film, 200)).map((each): FollowUp => remove(reviews, each.id)),
  }));
}

export function namingSuite(open: OpenPlace): void {
  describe('a document that names another', () => {
    const place = new BlockPlace(open, [films, reviews]);
    const kinds = async (...mutations: readonly Mutation[]) => (await place.write(...mutations)).outcomes.map(({ kind }) => kind);
    const naming = async (...asked: readonly Naming[]) => {
      let found: readonly string[] = [];
      const looking = decide(films, 'nobody', (_before, reach: Reach) => {
        found = asked.flatMap((each) => reach.naming(each.values.flatMap((film) => named(String(film))), each)).map((each) => each.id);
        return { kind: 'keep' };
      });
      await place.write(looking);
      return found;
    };

    test('is written where the other is there, also by the same write, and in its order alone', async () => {
      expect(await kinds(review('a1', 'a'), put(films, 'a', {}), review('a2', 'a'))).toEqual(['refused', 'written', 'written']);
      expect(await kinds(review('a3', 'a'))).toEqual(['written']);
    });

    test('is found by what it names, in single fields and in arrays, but for the removed', async () => {
      await place.write(
        put(films, 'b', {}), review('b1', 'b'), review('b2', 'b', { by: 'eve' }), review('b3', 'b', { gone: since }),
        review('b4', 'b'), put(reviews, 'b5', { also: ['x', 'b'] }), put(reviews, 'b6', {}), put(reviews, 'b7', { film: 'B' }),
      );
      expect([await naming(of('b')), await naming(of('b', 2)), await naming(of('b', 5, 'also'))])
        .toEqual([['b1', 'b2', 'b4'], ['b1', 'b2'], ['b5']]);
    });

    test('is found as the mutations before left it', async () => {
      await place.write(put(films, 'c', {}), review('c1', 'c'), review('c2', 'c'), review('c3', 'c'));
      expect(await kinds(unlessNamed('c'))).toEqual(['refused']);
      expect(await kinds(remove(reviews, 'c1'), put(reviews, 'c2', { film: 'x' }), unlessNamed('c')))
        .toEqual(['written', 'written', 'refused']);
      expect(await kinds(put(reviews, 'c3', { film: 'c', gone: since }), put(reviews, 'c4', { film: 'c' }), unlessNamed('c')))
        .toEqual(['written', 'written', 'refused']);
      expect(await kinds(remove(reviews, 'c4'), unlessNamed('c'), review('c5', 'c'))).toEqual(['written', 'written', 'refused']);
    });

    test('goes with the other in one transaction, or stays with it', async () => {
      await place.write(put(films, 'd', {}), ...['d1', 'd2', 'd3'].map((key) => review(key, 'd')));
      const from = await place.store.head();
      const refused = decide(films, 'x', notThere);
      await place.store.write([withNaming('d'), refused], { ...inTime(), atomic: true });
      expect(await naming(of('d'))).toEqual(['d1', 'd2', 'd3']);
      const { position } = await place.write(withNaming('d'));
      expect(await naming(of('d'))).toEqual([]);
      const changes = await changesTo(place.store, from, position);
      expect(changes.map((change) => change.kind === 'document' && change.id).sort()).toEqual(['d', 'd1', 'd2', 'd3']);
    });

    test('never names what is removed, however many write and remove at once', async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = new Random(seed);
      const met = new Set<string | undefined>();
      for (let round = 0; round < 4 * soakFactor; round++) {
        const ids = [`r${round}-0`, `r${round}-1`, `r${round}-2`] as const;
        await place.write(...ids.map((each) => put(films, each, {})));
        const actions = Array.from({ length: 60 }, (_, index): Mutation => {
          const film = random.pick(ids);
          if (random.chance(0.7)) return review(`${film}-${index}`, film);
          return random.chance(0.5) ? unlessNamed(film) : withNaming(film);
        });
        const started = actions.map(async (action) => {
          await Bun.sleep(random.below(30));
          return (await place.store.write([action], inTime())).outcomes[0]?.kind;
        });
        for (const kind of await Promise.all(started)) met.add(kind);
        for (const film of ids) {
          const isThere = (await place.store.get(films, film, inTime())).value !== undefined;
          const names = await naming(of(film, 200));
          expect([seed, film, isThere || names.length === 0]).toEqual([seed, film, true]);
        }
      }
      expect(met).toEqual(new Set(['written', 'refused']));
    }, 60_000);
  });
}

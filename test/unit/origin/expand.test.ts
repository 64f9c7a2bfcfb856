/**
 * Related documents beside what was asked for, on both engines, under random rules: what `expand` shows is what a slow
 * interpreter shows, what a caller may not see is what is not there, and a change that alters an answer touches what that
 * answer says it depends on (SEMANTICS §1).
 */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { toBucket, touched } from '../../../shared/contract/dependencies.ts';
import { to } from '../../../shared/contract/relations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import type { Json } from '../../../shared/wire/values.ts';
import { type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import { expands, names, own, plain, principals, toContract, toDocument, World } from '../../support/related-world.ts';
import { engines } from '../../support/whole-world.ts';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 32));
const worlds = 3;
const msMax = 60_000;

describe.each(engines.map((engine) => [engine]))('expand on %s', (engine) => {
  test(`shows what a slow interpreter shows, alone and on pages (seed ${seed})`, async () => {
    for (let round = 0; round < worlds; round++) {
      const random = new Random(seed + round);
      await using world = await World.open(engine, random);
      for (const principal of principals) for (const expand of expands) {
        const naive = world.naive(principal);
        const ways = expand.split(',');
        const page = await world.ask('list', 'films', { query: `?expand=${expand}&limit=5`, principal });
        const keys = [...(world.stored.get('films') ?? [])].filter(([, film]) => film['gone'] === undefined)
          .sort(([a, left], [b, right]) => Number(left['n']) - Number(right['n']) || (a < b ? -1 : 1)).map(([key]) => key);
        if (naive.isRefused(world.resource('films'), ways)) {
          expect(page.outcome).toBe('forbidden');
          continue;
        }
        expect({ outcome: page.outcome, data: page.json['data'] as Json })
          .toEqual({ outcome: 'found', data: keys.map((key) => naive.shown('films', key, ways) ?? null) });
        const [key = ''] = keys;
        const one = await world.ask('get', 'films', { id: key, query: `?expand=${expand}`, principal });
        expect(one.json).toEqual(naive.shown('films', key, ways) ?? {});
      }
    }
  }, msMax);

  test(`a change that alters an answer touches what the answer depends on (seed ${seed})`, async () => {
    let altered = 0;
    // A principal may be refused in one world after another.
    for (let round = 0; round < worlds || altered === 0; round++) {
      const random = new Random(seed + 1_000 + round);
      await using world = await World.open(engine, random);
      const principal = random.pick(principals) ?? anonymous;
      const expand = random.pick(expands);
      const ask = () => world.ask('list', 'films', { query: `?expand=${expand}&limit=5`, principal });
      let before = await ask();
      for (let at = 0; at < 40 && before.outcome === 'found'; at++) {
        const name = random.pick(names);
        const key = `${name}${random.below(8)}`;
        const image = world.stored.get(name)?.get(key);
        const next = random.chance(0.2) ? undefined : toDocument(random, name);
        await (next === undefined ? world.remove(name, key) : world.put(name, key, next));
        const after = await ask();
        if (after.text !== before.text) {
          altered++;
          const keys = touched(world.resource(name), key, image && { id: key, ...image }, next && { id: key, ...next });
          expect(isTouched(before, name, keys)).toBe(true);
        }
        before = after;
      }
    }
  }, msMax);

  test('a target that is hidden, gone or never was shows alike, in every byte', async () => {
    const hidden = resource({ ...plain, name: 'studios', schema: z.object(own), rules: { read: owner('by') }, shapes: { all: {} } });
    const films = resource({
      ...plain, name: 'films', schema: z.object({ ...own, studio: z.string() }), rules: { read: anyone }, shapes: { all: {} },
      relations: { made: to('studios', 'studio') },
    });
    const served = contract(films, hidden);
    await using origin = await DirectOrigin.on(engine, served);
    const [holder, target] = [served.resources.get('films') ?? films, served.resources.get('studios') ?? hidden];
    await origin.put(holder, 'f', { n: 1, open: true, by: 'ada', studio: 's' });
    const ask = () => origin.ask('get', holder, { id: 'f', query: '?expand=made', principal: { subject: 'eve', roles: [], claims: {} } });
    const never = await ask();
    await origin.put(target, 's', { n: 1, open: true, by: 'ada' });
    const unseen = await ask();
    expect(never.json['made']).toBeNull();
    expect({ text: unseen.text, etag: unseen.etag }).toEqual({ text: never.text, etag: never.etag });
    expect(unseen.stated?.dependencies).toEqual(never.stated?.dependencies);
  });
});

function isTouched({ stated }: DirectAnswer, name: string, keys: ReadonlySet<string>): boolean {
  const buckets = new Set(stated?.dependencies?.find((each) => each.resource === name)?.buckets);
  return [...keys].some((key) => buckets.has(toBucket(key)));
}

describe('expand is refused before anything is read', () => {
  const world = toContract(new Random(1));
  const films = world.resources.get('films');
  const asks: readonly (readonly [string, string])[] = [
    ['?expand=nothing', 'unknown relation "nothing"; films has reviews, studio, actors'],
    ['?expand=reviews.film.reviews', `3 levels; ${limits.expandLevelsMax} at most`],
    ['?expand=reviews,,studio', 'unknown relation ""'],
    ['?expand=reviews.film,actors.films,studio&limit=200', `may be 2600 documents; ${limits.expandedDocumentsMax} at most`],
  ];
  test.each(asks)('%s', (query, detail) => {
    if (films === undefined) throw new Error('films are not served');
    expect(() => documents.list.parse(films, query)).toThrow(detail);
  });
});

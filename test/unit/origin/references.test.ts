/** What a write names is there, and what a removal does to those that name what goes, on both engines (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execute } from '../../../origin/execute.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { everyResourceOf } from '../../../shared/contract/every-resource.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { removals } from '../../../shared/operations/removals.ts';
import { transaction } from '../../../shared/operations/transaction.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ada, type DirectAnswer, DirectOrigin } from '../../support/direct-origin.ts';
import { naming } from '../../support/naming-contract.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const clerk: Principal = { subject: 'cid', roles: ['clerk'], claims: {} };

function served(name: string): Resource {
  const found = naming.resources.get(name);
  if (found === undefined) throw new Error(`"${name}" is not served`);
  return found;
}
const [people, films, reviews, replies, tickets] =
  [served('people'), served('films'), served('reviews'), served('replies'), served('tickets')] as const;

describe.each(engines)('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, naming)), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const told = ({ outcome, errors }: DirectAnswer) => [outcome, ...errors.map(({ at }) => at)];
  const make = async (of: Resource, id: string, more: JsonObject = {}) =>
    told(await origin.ask('create', of, { body: { id, ...(of === films ? { sequel: null } : {}), ...more } }));
  const change = async (of: Resource, id: string, body: unknown, mediaType?: string) =>
    told(await origin.ask('patch', of, { id, body: body as object, ...(mediaType === undefined ? {} : { mediaType }) }));
  const remove = (of: Resource, id: string) => origin.ask('remove', of, { id });
  const carry = (...operations: readonly object[]) =>
    origin.askBy(transaction.transaction, execute, everyResourceOf(naming), { body: { operations } });
  const by = (name: keyof typeof removals, of: Resource, id: string) => origin.askBy(removals[name], execute, of, { principal: clerk, id });
  const seed = async () => {
    await origin.put(people, 'open', { open: true, by: 'eve' });
    await origin.put(people, 'shut', { open: false, by: 'eve' });
    await origin.put(people, 'gone', { open: true, by: 'ada', gone: '2026-11-01T00:00:00.000Z' });
  };

  describe('what a write names', () => {
    beforeAll(seed);

    test('is there, is not removed, and is seen by the caller; all else is one refusal', async () => {
      expect(await make(films, 'a', { lead: 'open', cast: ['open'] })).toEqual(['created']);
      const refusals = await Promise.all(['none', 'shut', 'gone'].map((lead) =>
        origin.ask('create', films, { body: { id: 'b', sequel: null, lead } })));
      expect(refusals.map(told)).toEqual(Array(3).fill(['document_invalid', '/lead']));
      expect(new Set(refusals.map(({ detail, errors }) => JSON.stringify([detail, errors]))).size).toBe(1);
      expect(await origin.stored(films, 'b')).toBeUndefined();
      expect(await make(films, 'b', { lead: '' })).toEqual(['document_invalid', '/lead']);
    });

    test('is looked for by every way of writing, and the place in what was sent is told', async () => {
      await make(films, 'w');
      expect(told(await origin.ask('replace', films, { id: 'w', body: { sequel: 'none' } }))).toEqual(['document_invalid', '/sequel']);
      expect(told(await origin.ask('replace', films, { id: 'w2', body: { sequel: 'none' } }))).toEqual(['document_invalid', '/sequel']);
      expect(await change(films, 'w', { cast: ['open', 'none', 'shut'] })).toEqual(['document_invalid', '/cast/1', '/cast/2']);
      expect(await change(films, 'w', [{ op: 'add', path: '/lead', value: 'none' }], 'application/json-patch+json'))
        .toEqual(['document_invalid', '/0/value']);
      expect(await change(films, 'w', { append: { cast: ['none'] } }, 'application/vnd.tombolo.changes+json'))
        .toEqual(['document_invalid', '/append/cast/0']);
      const rows = [{ id: 'w4', sequel: null }, { id: 'w5', sequel: 'none' }, { id: 'w6', sequel: 'w4' }].map((row) => JSON.stringify(row));
      const imported = await origin.ask('import', films, { body: rows.join('\n') });
      expect(imported.text).toContain('{"row":2,"code":"document_invalid","detail":"/sequel: names no document of films"');
      expect(imported.text).toContain('"imported":2');
      const many = await origin.askBy(bulk.patchMany, execute, films, { body: [{ id: 'w', merge: { lead: 'none' } }] });
      expect(many.text).toContain('/0/merge/lead');
      const upserted = await origin.ask('upsert', films, { query: '?title=T', body: { id: 'w3', title: 'T', sequel: 'none' } });
      expect(told(upserted)).toEqual(['document_invalid', '/sequel']);
      const together = await carry({ op: 'create', resource: 'reviews', body: { id: 'r', film: 'none' } });
      expect(told(together)).toEqual(['document_invalid', '/operations/0/body/film']);
      expect(await origin.stored(films, 'w')).toMatchObject({ rev: 1 });
    });

    test('is looked for where it is new; what stood there is nobody\'s mistake now', async () => {
      await origin.put(films, 'old', { rev: 1, lead: 'none', cast: ['shut', 'none'], sequel: null });
      expect(await change(films, 'old', { title: 'Old' })).toEqual(['written']);
      expect(await change(films, 'old', { cast: ['none', 'open', 'shut'] })).toEqual(['written']);
      expect(await change(films, 'old', { lead: 'shut' })).toEqual(['document_invalid', '/lead']);
    });

    test('may be made by the same transaction, before it is named, and be the document itself', async () => {
      const film = { op: 'create', resource: 'films', body: { id: 't', sequel: 't' } };
      const review = { op: 'create', resource: 'reviews', body: { id: 't1', film: 't' } };
      expect(told(await carry(review, film))).toEqual(['document_invalid', '/operations/0/body/film']);
      expect(told(await carry(film, review))).toEqual(['written']);
    });

    test('is looked for with the scopes of an API key', async () => {
      const key = (...scopes: readonly string[]): Principal => ({ ...ada, key: { id: 'k', scopes } });
      const asked = (principal: Principal, film: string) =>
        origin.ask('create', reviews, { principal, body: { id: crypto.randomUUID(), film } });
      const outcomes = await Promise.all(['a', 'none'].flatMap((film) => [
        asked(key('reviews:create'), film), asked(key('reviews:create', 'films:read'), film),
      ]));
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['key_restricted', 'created', 'key_restricted', 'document_invalid']);
    });
  });

  describe('a removal', () => {
    beforeAll(seed);

    test('is refused while a relation that restricts it names the document, and tells which', async () => {
      await make(films, 'k');
      await make(tickets, 'k1', { film: 'k' });
      const refused = await remove(films, 'k');
      expect([refused.outcome, refused.detail]).toEqual([
        'document_conflict', 'documents of tickets name it: relation "film" of tickets restricts its removal',
      ]);
      const dry = await origin.askBy(bulk.removeMany, execute, films, { query: '?id=k&dryRun=true' });
      expect(dry.text).toContain('"refused":1');
      const [ticket, film] = [{ op: 'remove', resource: 'tickets', id: 'k1' }, { op: 'remove', resource: 'films', id: 'k' }];
      expect((await carry(film, ticket)).outcome).toBe('document_conflict');
      expect((await carry(ticket, film)).outcome).toBe('written');
      expect(await origin.stored(films, 'k')).toBeUndefined();
    });

    test('takes the id out of those that name it, which makes a revision', async () => {
      await origin.put(people, 'u', { open: true, by: 'ada' });
      await make(films, 'u1', { cast: ['u', 'open'], lead: 'u' });
      await make(films, 'u2', { sequel: 'u1' });
      expect((await remove(people, 'u')).outcome).toBe('removed');
      expect(await origin.stored(films, 'u1')).toMatchObject({ cast: ['open'], lead: 'u', rev: 2 });
      expect((await remove(films, 'u1')).outcome).toBe('removed');
      expect(await origin.stored(films, 'u2')).toMatchObject({ sequel: null, rev: 2 });
      expect((await origin.stored(people, 'u'))?.['gone']).toEqual(expect.any(String));
    });

    test('removes those that name it, each in its way, and those that name them; the feed tells of all', async () => {
      await make(films, 'c');
      await make(reviews, 'c1', { film: 'c' });
      await make(reviews, 'c2', { film: 'c' });
      await make(replies, 'c3', { review: 'c1' });
      await make(replies, 'c4', { reply: 'c3' });
      await make(tickets, 'c5', { reply: 'c4' });
      expect((await remove(films, 'c')).detail).toContain('relation "reply" of tickets restricts its removal');
      expect(await origin.stored(reviews, 'c1')).toMatchObject({ rev: 1 });
      await remove(tickets, 'c5');
      const from = await origin.context.store.head();
      expect((await remove(films, 'c')).outcome).toBe('removed');
      expect(await origin.stored(reviews, 'c1')).toMatchObject({ film: 'c', gone: expect.any(String), rev: 2 });
      expect([await origin.stored(replies, 'c3'), await origin.stored(replies, 'c4')]).toEqual([undefined, undefined]);
      expect(await changedSince(origin, from, 5)).toEqual(['c', 'c1', 'c2', 'c3', 'c4']);
      const restored = await by('restore', reviews, 'c1');
      expect([told(restored), restored.detail]).toEqual([['document_conflict', '/film'], 'what it names is not there any more']);
      expect((await by('erase', reviews, 'c1')).outcome).toBe('removed');
    });

    test('is not kept by what is removed, and a removal that stays is one', async () => {
      await origin.put(people, 's', { open: true, by: 'ada' });
      await make(films, 's1', { crew: [{ who: 's' }] });
      expect((await remove(people, 's')).outcome).toBe('document_conflict');
      await change(films, 's1', { crew: [] });
      expect((await remove(people, 's')).outcome).toBe('removed');
      expect(await change(films, 's1', { crew: [{ who: 's' }] })).toEqual(['document_invalid', '/crew/0/who']);
      expect((await by('restore', people, 's')).outcome).toBe('written');
      expect(await change(films, 's1', { crew: [{ who: 's' }] })).toEqual(['written']);
    });

    test('that would change too many, or run too deep, is refused and changes nothing', async () => {
      await make(films, 'm');
      const store = (of: Resource, count: number, toDocument: (index: number) => JsonObject) => origin.context.store.write(
        Array.from({ length: count }, (_, index): Mutation => ({
          resource: of, id: `m${index}`, decide: () => ({ kind: 'put', document: toDocument(index) }),
        })), { deadline: Date.now() + 20_000 });
      await store(reviews, limits.causedChangesMax + 1, () => ({ film: 'm', by: 'ada' }));
      const refused = await remove(films, 'm');
      expect(refused.outcome).toBe('document_conflict');
      expect(refused.detail).toContain(`more than ${limits.causedChangesMax} documents`);
      await remove(reviews, 'm0');
      expect((await remove(films, 'm')).outcome).toBe('removed');
      expect((await origin.stored(reviews, 'm1'))?.['gone']).toEqual(expect.any(String));
      await store(replies, limits.cascadeLevelsMax + 2, (index) => (index === 0 ? {} : { reply: `m${index - 1}` }));
      expect((await remove(replies, 'm0')).detail).toContain(`more than ${limits.cascadeLevelsMax} relations in a row`);
      expect((await remove(replies, 'm1')).outcome).toBe('removed');
      expect(await origin.stored(replies, `m${limits.cascadeLevelsMax + 1}`)).toBeUndefined();
    }, 60_000);
  });

  test('whatever many callers write and remove at once, nothing that stands names what is not there', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const keys = (of: Resource) => Array.from({ length: 4 }, (_, index) => `z${of.name}${index}`);
    const one = (of: Resource) => random.pick(keys(of)) ?? '';
    const bodyOf = (of: Resource): JsonObject => {
      if (of === films) return { sequel: random.chance(0.5) ? one(films) : null, cast: [one(people)], crew: [{ who: one(people) }] };
      if (of === reviews) return { film: one(films) };
      return of === tickets ? { film: one(films), reply: one(replies) } : { review: one(reviews), reply: one(replies) };
    };
    for (const id of keys(people)) await origin.put(people, id, { open: true, by: 'ada' });
    const met = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const answers = await Promise.all(Array.from({ length: 30 }, async () => {
        const of = random.pick([people, films, reviews, replies, tickets] as const);
        const id = one(of);
        if (of === people) return random.chance(0.2) ? remove(people, id) : by('restore', people, id);
        if (random.chance(of === tickets ? 0.6 : 0.2)) return remove(of, id);
        return random.chance(0.3) && of === reviews ? by('restore', of, id) : origin.ask('replace', of, { id, body: bodyOf(of) });
      }));
      for (const { outcome } of answers) met.add(outcome);
      expect([seed, await dangling(origin, (of) => keys(of))]).toEqual([seed, []]);
    }
    expect([...met].sort()).toEqual(expect.arrayContaining(['created', 'document_conflict', 'document_invalid', 'removed', 'written']));
  }, 120_000);
});

/** What stands and names what does not, by relations that heed removals. */
async function dangling(origin: DirectOrigin, keys: (of: Resource) => readonly string[]): Promise<readonly string[]> {
  const stands = async (of: Resource, id: string) => {
    const found = await origin.stored(of, id);
    return found === undefined || (found['gone'] ?? null) !== null ? undefined : found;
  };
  const found: string[] = [];
  for (const of of [films, reviews, replies, tickets]) {
    for (const id of keys(of)) {
      const document = await stands(of, id);
      for (const { name, field, onDelete, target } of document === undefined ? [] : of.related.values()) {
        const [first = '', member] = field.split('.');
        const held = [document?.[first] ?? []].flat().map((each) => (member === undefined ? each : (each as JsonObject)[member]));
        for (const each of onDelete === undefined ? [] : held) {
          if (each !== null && (await stands(target, String(each))) === undefined) found.push(`${of.name}/${id}.${name}: ${String(each)}`);
        }
      }
    }
  }
  return found;
}

async function changedSince(origin: DirectOrigin, from: Parameters<DirectOrigin['context']['store']['watch']>[0], count: number) {
  const found: string[] = [];
  for await (const batch of origin.context.store.watch(from, AbortSignal.timeout(10_000))) {
    if ('lost' in batch) throw new Error('history is lost');
    for (const change of batch.changes) if (change.kind === 'document') found.push(change.id);
    if (found.length >= count) break;
  }
  return found.sort();
}

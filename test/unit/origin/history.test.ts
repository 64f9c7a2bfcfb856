/** Logs of changes: that nothing is missing and nothing stands twice, by whatever door, and who is shown what of them. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { execute } from '../../../origin/execute.ts';
import { historyEvents, historyHeads } from '../../../origin/history/stored-history.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { historyOperations } from '../../../shared/history/operations.ts';
import { bulk } from '../../../shared/operations/bulk.ts';
import { anonymous, type Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ada, type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { behind, linked, logged } from '../../support/logged-contract.ts';
import { draw, throughAll } from '../../support/logged-doors.ts';
import { Random } from '../../support/random.ts';
import { brokenIn, changesOf, eventsOf, replayed, stepsOf } from '../../support/replayed-log.ts';
import { engines } from '../../support/whole-world.ts';

const [boards, notes] = linked;
const auditor: Principal = { subject: 'aud', roles: ['auditor'], claims: {} };
const bob: Principal = { subject: 'bob', roles: [], claims: { tenant: 'odeon' } };

describe.each([...engines])('a log of changes on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => void (origin = await DirectOrigin.on(engine, logged, behind)), 60_000);
  afterAll(() => origin[Symbol.asyncDispose]());

  const historyOf = (id: string, asking: DirectAsking = {}, of: Resource = notes) =>
    origin.askBy(historyOperations.history, execute, of, { id, principal: auditor, ...asking });
  const eventsIn = ({ json }: DirectAnswer) => json['data'] as readonly JsonObject[];
  const nextOf = ({ json }: DirectAnswer) => (json['page'] as JsonObject)['next'];

  test('whatever changes documents, by any door, is told once and in order, and replayed gives the documents', async () => {
    const seed = Date.now();
    const random = new Random(seed);
    const { store } = origin.context;
    const from = await store.head();
    await throughAll(origin, new Random(seed));
    for (let step = 0; step < 60; step++) await Promise.all(Array.from({ length: 3 }, () => draw(origin, random)));
    await eventually('what follows has followed', async () => {
      const [events, feed] = [await eventsOf(store, notes), await changesOf(store, notes, from)];
      const isStamped = events.some(({ operation }) => operation === 'job stamp');
      return isStamped && Bun.deepEquals(stepsOf(events), feed) && [...feed.keys()].some((id) => id.startsWith('g-'));
    }, { msMax: 10_000, everyMs: 100 });
    for (const resource of [boards, notes]) {
      const events = await eventsOf(store, resource);
      expect({ seed, feed: await changesOf(store, resource, from) }).toEqual({ seed, feed: stepsOf(events) });
      expect({ seed, broken: brokenIn(events) }).toEqual({ seed, broken: [] });
      const made = replayed(events);
      const ids = [...new Set(events.map(({ document }) => document))];
      const { value } = await store.many(resource, ids, { deadline: Date.now() + 10_000 });
      expect({ seed, ...made }).toEqual({ seed, ...Object.fromEntries(value.map((document) => [document.id, document.value])) });
    }
    const events = await eventsOf(store, notes);
    // What a transaction does to a document twice is two events; what a removal causes goes by its name.
    expect(events.filter(({ after = '' }) => after.includes('"text":".')).length).toBeGreaterThan(0);
    expect(events.some(({ operation, document }) => operation === 'remove' && document === 'u')).toBe(true);
    const doors = [
      'create', 'erase', 'hook greeting', 'import', 'job stamp', 'patch', 'patchMany', 'removeMany', 'replace', 'restore', 'seize',
      'upsert',
    ];
    expect(doors.filter((door) => !events.some(({ operation }) => operation === door))).toEqual([]);
  }, 60_000);

  test('whoever the rule lets in is shown the images of which it holds, under the field rules, the last first', async () => {
    const make = { body: { id: 'k', by: 'ada', text: 'one', seal: 'k' } };
    await origin.ask('create', notes, make);
    await origin.ask('patch', notes, { id: 'k', body: { text: 'two' }, principal: { ...bob, key: { id: 'k1', scopes: ['*:*'] } } });
    await origin.ask('patch', notes, { id: 'k', body: { by: 'bob' } });
    await origin.ask('remove', notes, { id: 'k', principal: bob });
    const whole = await historyOf('k');
    expect(eventsIn(whole).map(({ change, operation, before, after }) => [change, operation, before && 1, after && 1])).toEqual([
      ['updated', 'remove', 1, 1], ['updated', 'patch', 1, 1], ['updated', 'patch', 1, 1], ['created', 'create', null, 1],
    ]);
    expect(eventsIn(whole)[2]).toEqual({
      at: expect.any(String), change: 'updated', operation: 'patch', request: expect.stringMatching(/^req_/),
      by: { subject: 'bob', tenant: 'odeon', key: 'k1', system: false },
      before: expect.objectContaining({ id: 'k', text: 'one', rev: 1, length: 3 }), after: expect.objectContaining({ text: 'two', rev: 2 }),
    });
    // An auditor may not read the seal, and its owner may.
    expect(whole.text).not.toContain('seal');
    expect(eventsIn(await historyOf('k', { principal: ada })).map(({ change, before, after }) => [
      change, (before as JsonObject | null)?.['seal'], (after as JsonObject | null)?.['seal'],
    ])).toEqual([['left', 'k', undefined], ['updated', 'k', 'k'], ['created', undefined, 'k']]);
    expect(eventsIn(await historyOf('k', { principal: bob })).map(({ change }) => change)).toEqual(['updated', 'entered']);
    const eve = { ...bob, subject: 'eve' };
    const hidden = await Promise.all([historyOf('k', { principal: eve }), historyOf('none', { principal: eve })]);
    expect(hidden.map(({ text }) => text)).toEqual(Array(2).fill('{"data":[],"page":{"limit":20,"next":null}}'));
    const refused = [historyOf('x', { principal: ada }, boards), historyOf('x', { principal: anonymous }, boards)];
    expect((await Promise.all(refused)).map(({ outcome }) => outcome)).toEqual(['forbidden', 'token_missing']);
  });

  test('it is read by pages, whose cursors are of their document, their rights and nobody else', async () => {
    await origin.ask('create', notes, { body: { id: 'p', by: 'ada', text: '' } });
    for (let n = 1; n < 5; n++) await origin.ask('patch', notes, { id: 'p', body: { text: 't'.repeat(n) } });
    const texts: unknown[] = [];
    for (let next: unknown = ''; next !== null;) {
      const page = await historyOf('p', { query: `?limit=2${next === '' ? '' : `&after=${String(next)}`}` });
      texts.push(...eventsIn(page).map(({ after }) => (after as JsonObject)['text']));
      next = nextOf(page);
    }
    expect(texts).toEqual(['tttt', 'ttt', 'tt', 't', '']);
    const cursor = String(nextOf(await historyOf('p', { query: '?limit=2' })));
    const asked = [
      historyOf('k', { query: `?after=${cursor}` }), historyOf('p', { query: `?after=${cursor}`, principal: ada }),
      historyOf('p', { query: `?after=${cursor}x` }), historyOf('p', { query: '?limit=0' }), historyOf('p', { query: '?text=t' }),
    ];
    expect((await Promise.all(asked)).map(({ outcome, errors }) => [outcome, errors[0]?.at])).toEqual([
      ...Array(3).fill(['cursor_invalid', 'after']), ['query_invalid', 'limit'], ['query_invalid', 'text'],
    ]);
  });

  test('what another program wrote is told of by the next write, once, and what no schema names is in no log', async () => {
    await origin.ask('create', notes, { body: { id: 'o', by: 'ada', text: 'a' } });
    await origin.put(notes, 'o', { by: 'eve', text: 'b', open: true, unnamed: 'x', rev: 7 });
    for (const text of ['c', 'd']) await origin.ask('patch', notes, { id: 'o', body: { text } });
    const told = await historyOf('o');
    expect(eventsIn(told).map(({ operation, by, before, after }) => [
      operation, by === null, (before as JsonObject | null)?.['text'], (after as JsonObject)['text'],
    ])).toEqual([['patch', false, 'c', 'd'], ['patch', false, 'b', 'c'], ['outside', true, 'a', 'b'], ['create', false, undefined, 'a']]);
    expect(told.text).not.toContain('unnamed');
    expect(await origin.stored(notes, 'o')).toMatchObject({ unnamed: 'x' });
    expect(brokenIn((await eventsOf(origin.context.store, notes)).filter(({ document }) => document === 'o'))).toEqual([]);
  });

  test('an id that no document can have is not found, unless others have one of which the caller is shown something', async () => {
    expect(await historyOf('unknown')).toMatchObject({ outcome: 'streaming', json: { data: [] } });
    expect((await historyOf('8')).outcome).toBe('document_not_found');
    await origin.put(notes, '7', { by: 'ada', text: 'a', open: true, rev: 1 });
    await origin.ask('patch', notes, { id: '7', body: { text: 'b' } });
    expect(eventsIn(await historyOf('7')).map(({ operation }) => operation)).toEqual(['patch']);
    expect((await historyOf('7', { principal: bob })).outcome).toBe('document_not_found');
  });

  test('what changes nothing, is refused, tried out or undone is no event', async () => {
    await origin.ask('create', notes, { body: { id: 'q', by: 'ada', text: 'a' } });
    await origin.ask('patch', notes, { id: 'q', body: { text: 'a' } });
    await origin.ask('patch', notes, { id: 'q', body: { text: 't'.repeat(21) } });
    const together = (body: readonly JsonObject[], query: string) => origin.askBy(bulk.patchMany, execute, notes, { body, query });
    await together([{ id: 'q', merge: { text: 'b' } }], '?dryRun=true');
    await together([{ id: 'q', merge: { text: 'b' } }, { id: 'none', merge: {} }], '?atomic=true');
    for (let times = 0; times < 2; times++) await origin.ask('patch', notes, { id: 'q', body: { text: 'k' }, idempotencyKey: 'q-1' });
    expect(eventsIn(await historyOf('q')).map(({ operation }) => operation)).toEqual(['patch', 'create']);
  });

  test('after its days an event is taken out, and a document that is changed again goes on', async () => {
    await origin.ask('create', notes, { body: { id: 's', by: 'ada', text: 'a' } });
    const long = new Date(Date.now() - 31 * 86_400_000).toISOString();
    for (const resource of [historyEvents, historyHeads]) {
      const request = {
        equal: { resource: ['notes'] }, range: { field: 'at', bounds: { gte: '0001-01-01T00:00:00.000Z' } }, where: true, limit: 1,
        sort: [{ field: 'at', descending: true }, { field: 'id', descending: true }], after: undefined,
      } as const;
      const { value: [{ document: last } = {}] } = await origin.context.store.list(resource, request, { deadline: Date.now() + 5_000 });
      expect(last).toBeDefined();
      const { id: _id, ...stored } = last?.value ?? {};
      await origin.put(resource, last?.id ?? '', { ...stored, at: long });
    }
    await eventually('it is taken out', async () => eventsIn(await historyOf('s')).length === 0);
    await origin.ask('patch', notes, { id: 's', body: { text: 'b' } });
    expect(eventsIn(await historyOf('s')).map(({ operation }) => operation)).toEqual(['patch']);
    expect(eventsIn(await historyOf('q')).length).toBe(2);
  });
});

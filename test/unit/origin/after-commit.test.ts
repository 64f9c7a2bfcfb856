/** Hooks after a commit: what they are told, what they write with their cursor, what they may not, and how they fail and stop. */
import { afterEach, describe, expect, test } from 'bun:test';
import { MongoClient } from 'mongodb';
import * as z from 'zod';
import { afterCommit, type AfterCommit, type CommitEvent, type Missed } from '../../../origin/after-commit/after-commit.ts';
import type { Own } from '../../../origin/own.ts';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() }, shapes: { all: {} } } as const;
const open = { rules: { read: anyone, write: anyone } };
const posts = resource({
  ...named, ...open, name: 'posts',
  schema: z.object({ by: z.string(), text: z.string().optional(), mailedAt: z.string().optional(), slug: z.string().optional() }),
});
/** Nobody but their owner may read or change them; a hook may. */
const writers = resource({
  ...named, name: 'writers', schema: z.object({ posts: z.int(), name: z.string().optional() }),
  rules: { read: owner('name'), write: owner('name') },
});
const served = contract(posts, writers);

type Event = CommitEvent<typeof posts>;

/** Keeps what it was told, and what it was told to do in answer. */
class Told {
  readonly events: Event[] = [];
  readonly missed: Missed[] = [];
  readonly #fails = new Map<string, number>();

  get hook(): AfterCommit {
    return afterCommit({
      name: 'told', of: posts,
      handle: async (event) => {
        this.events.push(event);
        const left = this.#fails.get(event.id) ?? 0;
        this.#fails.set(event.id, left - 1);
        if (left > 0) throw new Error('a bug');
        return [];
      },
      resync: (missed) => (this.missed.push(missed), []),
    });
  }

  fail(id: string, times: number): void {
    this.#fails.set(id, times);
  }

  /** In the order of their handling. */
  get lines(): readonly string[] {
    return this.events.map(({ kind, id, before, after }) => `${kind} ${id} ${before?.text ?? '-'} ${after?.text ?? '-'}`);
  }
}

const counting = afterCommit({
  name: 'counting', of: posts, writes: [writers],
  async handle({ kind, before, after }, call) {
    if (kind === 'updated') return [];
    const by = (after ?? before)?.by ?? '';
    const known = await call.get(writers, by);
    if (known === undefined) return [call.create(writers, { id: by, posts: 1 })];
    return [call.merge(writers, by, ({ posts: count = 0 }) => ({ posts: count + (kind === 'created' ? 1 : -1) }))];
  },
  async resync(_missed, call) {
    const { data } = await call.list(posts, { limit: 200 });
    return [...Map.groupBy(data, ({ by = '' }) => by)].map(([by, own]) => call.merge(writers, by, () => ({ posts: own.length })));
  },
});

const mailing = afterCommit({
  name: 'mailing', of: posts, marks: ['mailedAt'],
  handle: ({ id, after }, call) => (after === undefined ? [] : [call.mark(id, () => ({ mailedAt: `${Date.now()} ${Math.random()}` }))]),
  resync: () => [],
});

const leaseTimes = { beatMs: 50, silentMsMax: 2_000 };
const holdLimits = { waitingMax: 100, attemptsMax: 5, retryMs: { first: 20, max: 100 } };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  const begin = async (...afterCommits: AfterCommit[]) => await beginWith({ afterCommits });
  const beginWith = async (own: Own) => {
    origin = await DirectOrigin.on(engine, served, { leaseTimes, holdLimits, ...own });
    // A new hook is told of what is committed once it has a cursor.
    for (const { name } of own.afterCommits ?? []) {
      await eventually('the hook begins', async () => (await origin.context.store.cursor(`hook ${name}`)) !== undefined);
    }
  };
  afterEach(() => origin[Symbol.asyncDispose]());
  const write = (id: string, text: string, by = 'ada') => origin.put(posts, id, { by, text });
  const countOf = async (by: string) => (await origin.stored(writers, by))?.['posts'];
  const states = async () => await origin.context.services.states();

  test('a hook is told of each change once it is committed, in order, with what was there before and after', async () => {
    const told = new Told();
    await begin(told.hook);
    await origin.ask('create', posts, { body: { id: 'a', by: 'ada', text: 'one' } });
    await origin.ask('patch', posts, { id: 'a', body: { text: 'two' } });
    expect((await origin.ask('patch', posts, { id: 'a', body: { by: 7 } })).outcome).toBe('document_invalid');
    // As other programs write it.
    await origin.put(posts, 'b', { by: 'bob', text: 'three', undeclared: true });
    await origin.ask('remove', posts, { id: 'a' });
    await eventually('the last one', () => told.events.at(-1)?.kind === 'deleted');
    expect(told.lines).toEqual(['created a - one', 'updated a one two', 'created b - three', 'deleted a two -']);
    expect(told.events[2]?.after).not.toHaveProperty('undeclared');
    expect(new Set(told.events.map(({ eventId }) => eventId)).size).toBe(4);
    expect(told.events.map(({ position }) => position.order)).toEqual(told.events.map(({ position }) => position.order).toSorted());
  });

  test('what it answers with is written past the rules, reads what was committed before, and is there once after a restart', async () => {
    await begin(counting);
    for (const id of ['a', 'b', 'c']) await write(id, 'x');
    await write('d', 'x', 'bob');
    await origin.ask('remove', posts, { id: 'a' });
    await eventually('all are counted', async () => (await countOf('ada')) === 2 && (await countOf('bob')) === 1);
    await origin.restart();
    await write('e', 'x');
    await eventually('the next one is counted', async () => (await countOf('ada')) === 3);
  });

  test('one that fails is asked again with the same event, says so, and holds up that document alone, in its order', async () => {
    const told = new Told();
    const slow = { ...holdLimits, retryMs: { first: 400, max: 400 } };
    await beginWith({ afterCommits: [told.hook, counting], holdLimits: slow });
    told.fail('a', 3);
    await write('a', 'one');
    await write('a', 'next');
    await write('b', 'two');
    const what = 'does not get on at posts/a: a bug';
    await eventually('it says what is the matter', async () => (await states())['hook told']?.detail?.startsWith(what));
    expect((await states())['hook told']?.ready).toBe(true);
    await eventually('the other one gets on', async () => (await countOf('ada')) === 2);
    await eventually('it gets on', () => told.lines.includes('updated a one next'));
    expect(told.lines.filter((line) => line.includes(' a '))).toEqual([...Array<string>(4).fill('created a - one'), 'updated a one next']);
    expect(told.lines.indexOf('created b - two')).toBeLessThan(3);
    expect(new Set(told.events.map(({ eventId }) => eventId)).size).toBe(3);
    await eventually('it says nothing any more', async () => (await states())['hook told']?.detail === undefined);
  });

  test('of its own resource it writes what it marks, which it is not told of; others are', async () => {
    const told = new Told();
    await begin(mailing, told.hook);
    await write('a', 'one');
    await eventually('the mark', async () => (await origin.stored(posts, 'a'))?.['mailedAt']);
    await write('b', 'two');
    await eventually('the second mark', async () => (await origin.stored(posts, 'b'))?.['mailedAt']);
    const marked = await origin.stored(posts, 'a');
    await origin.ask('patch', posts, { id: 'b', body: { text: 'three' } });
    await eventually('all of it', () => told.events.length === 6 || undefined);
    expect(told.lines.filter((line) => line.includes(' a '))).toEqual(['created a - one', 'updated a one one']);
    expect(await origin.stored(posts, 'a')).toEqual(marked);
  });

  test('a mark by which a hook before the write changes more is refused, or it would never end', async () => {
    const restless = beforeWrite(posts, () => ({ slug: String(Math.random()) }));
    await beginWith({ hooks: [restless], afterCommits: [mailing] });
    await write('a', 'one');
    const why = 'does not get on at posts/a: misconfigured: a mark would change slug, which is not marked';
    await eventually('it says why', async () => (await states())['hook mailing']?.detail === why);
    expect(await origin.stored(posts, 'a')).toEqual({ id: 'a', by: 'ada', text: 'one' });
  });

  test('what it does not declare it cannot do, whatever its types were made to believe', async () => {
    const handles: readonly ((event: Event, call: never) => unknown)[] = [
      (_event, call: { create: (of: unknown, body: object) => unknown }) => [call.create(writers, { id: 'x', posts: 1 })],
      (event, call: { mark: (id: string, to: () => object) => unknown }) => [call.mark(event.id, () => ({ text: 'x' }))],
      (_event, call: { fetch: (url: string) => Promise<never> }) => call.fetch('https://example.com/'),
      () => undefined,
    ];
    await begin(...handles.map((handle, index) => ({ ...new Told().hook, name: `sly-${index}`, handle: handle as AfterCommit['handle'] })));
    await write('a', 'one');
    for (const [index, why] of [
      'it writes "writers", which it does not declare', 'it writes "posts", which it does not declare',
      'fetch of example.com: it is not declared in "fetches"', 'a hook answers with the changes that it makes',
    ].entries()) {
      await eventually(why, async () => (await states())[`hook sly-${index}`]?.detail?.includes(why));
    }
    expect([await origin.stored(writers, 'x'), (await origin.stored(posts, 'a'))?.['text']]).toEqual([undefined, 'one']);
  });

  test('a change that is refused leaves nothing of the others, and the event is told again', async () => {
    let isThere = false;
    const both = afterCommit({
      name: 'both', resync: () => [], of: posts, writes: [writers],
      handle: (_event, call) => [
        call.create(writers, { id: 'first', posts: 0 }),
        ...(isThere ? [] : [call.merge(writers, 'absent', () => ({ posts: 1 }))]),
      ],
    });
    await begin(both);
    await write('a', 'one');
    await eventually('it is refused', async () => (await states())['hook both']?.detail?.includes('document_not_found'));
    expect(await origin.stored(writers, 'first')).toBeUndefined();
    isThere = true;
    await eventually('it is written', () => origin.stored(writers, 'first'));
  });

  test('a history that was lost is told before anything newer, and its effects commit with the cursor', async () => {
    const told = new Told();
    await begin(told.hook, counting);
    await write('a', 'one');
    await eventually('it is counted', async () => (await countOf('ada')) === 1 && told.events.length === 1);
    await origin.context.services.stop(Date.now() + 5_000);
    const stopped = told.events.length;
    await origin.begin();
    await origin.context.store.renewEpoch();
    await eventually('both are told', () => told.missed.length > 0);
    expect(told.missed[0]).toMatchObject({ why: 'history-lost' });
    await write('b', 'two');
    await eventually('it goes on', async () => told.events.length > stopped && (await countOf('ada')) === 2);
    expect(told.lines.at(-1)).toBe('created b - two');
  });

  test('at a stop what is in hand is finished and committed', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const slow = afterCommit({
      name: 'slow', resync: () => [], of: posts, writes: [writers],
      async handle({ id }, call) {
        begun.resolve();
        await goOn.promise;
        return [call.create(writers, { id, posts: 1 })];
      },
    });
    await begin(slow);
    await write('a', 'one');
    await write('b', 'two');
    await begun.promise;
    const stopping = origin.context.services.stop(Date.now() + 5_000);
    goOn.resolve();
    await stopping;
    await origin.begin();
    await eventually('the rest', () => origin.stored(writers, 'b'));
    // Made twice it would be taken, and nothing would follow.
    expect(await origin.stored(writers, 'a')).toBeDefined();
  });

  test('one that does not end in time is told to, left behind, and asked again by the next start', async () => {
    const signals: AbortSignal[] = [];
    const stuck = afterCommit({
      name: 'stuck', resync: () => [], of: posts, writes: [writers],
      async handle({ id }, call) {
        signals.push(call.signal);
        if (signals.length === 1) await new Promise(() => undefined);
        return [call.create(writers, { id, posts: 1 })];
      },
    });
    await begin(stuck);
    await write('a', 'one');
    await eventually('it is stuck', () => signals.length === 1);
    const startedMs = performance.now();
    await origin.context.services.stop(Date.now() + 1_000);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(signals[0]?.aborted).toBe(true);
    await origin.begin();
    await eventually('it is asked again', () => origin.stored(writers, 'a'));
  });
});

test('on MongoDB a collection that is dropped is told as changes that were missed', async () => {
  const told = new Told();
  const origin = await DirectOrigin.on('mongodb', served, { leaseTimes, afterCommits: [told.hook] });
  await eventually('it begins', () => origin.context.store.cursor('hook told'));
  await origin.put(posts, 'a', { by: 'ada' });
  await eventually('it is told', () => told.events.length === 1);
  const client = new MongoClient(origin.context.settings.mongodbUri ?? '');
  await client.db().collection('posts').drop();
  await client.close();
  await eventually('it is told again', () => told.missed[0]?.why === 'resource-changed');
  await origin[Symbol.asyncDispose]();
});

test('of two origins on MongoDB one runs a hook, the other says so, and goes on where that one stopped', async () => {
  const { uri, remove } = await openMongoDatabase();
  const both = [new Told(), new Told()] as const;
  const opened = [];
  for (const { hook } of both) opened.push(await DirectOrigin.open({ MONGODB_URI: uri }, served, { leaseTimes, afterCommits: [hook] }));
  const [first, second] = opened;
  if (first === undefined || second === undefined) throw new Error('two origins were opened');
  const waits = async () => (await second.context.services.states())['hook told'];
  await eventually('the first begins', () => first.context.store.cursor('hook told'));
  for (const id of ['a', 'b', 'c']) await second.put(posts, id, { by: 'ada' });
  await eventually('it is told', () => both[0].events.length === 3);
  expect([both[1].events, await waits()]).toEqual([[], { ready: true, detail: 'runs in another process' }]);
  await first.context.services.stop(Date.now() + 5_000);
  await second.put(posts, 'd', { by: 'ada' });
  await eventually('the other goes on', () => both[1].events.length === 1);
  expect(both[1].lines).toEqual(['created d - -']);
  expect((await waits())?.detail).toBeUndefined();
  await second[Symbol.asyncDispose]();
  await remove();
});

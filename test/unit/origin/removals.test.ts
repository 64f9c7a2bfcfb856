/** Documents that stay when they are removed: which doors hide them, who sees and restores them, and how they end. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { afterCommit } from '../../../origin/after-commit/after-commit.ts';
import { execute, executor } from '../../../origin/execute.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { endpoint, endpointModule } from '../../../shared/operations/endpoint.ts';
import { removals } from '../../../shared/operations/removals.ts';
import { anonymous, type Principal } from '../../../shared/wire/principal.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ada, type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { EventStream } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const named = { kind: 'string', format: z.string().regex(/^n-/) } as const;
const notes = resource({
  name: 'notes', id: named,
  schema: z.object({ by: z.string(), text: z.string(), state: z.enum(['open', 'shut']), seal: z.string().optional() }),
  rules: {
    read: any(equals('state', 'open'), owner('by')), create: signedIn, update: signedIn, remove: signedIn, restore: role('clerk'),
  },
  fieldRules: { seal: { read: owner('by') } },
  removal: { at: 'deletedAt', keptDays: 30 },
  shapes: { all: {}, byText: { equal: ['text'], sort: ['-createdAt'] } }, live: true,
});
/** Named by Tombolo, seen by everybody, and kept for good; nobody may restore. */
const plain = resource({
  name: 'plain', schema: z.object({ text: z.string() }), rules: { read: anyone, write: anyone },
  removal: { at: 'gone' }, shapes: { all: {} },
});

/** Reads and removes past all rules. */
const rows = endpointModule(
  endpoint({
    name: 'sweep', of: notes, at: '/sweep', method: 'POST', answers: 'effect', rule: signedIn, summary: 'Of a test.',
    input: z.object({ id: z.string() }), output: z.object({ seen: z.boolean(), plain: z.int(), left: z.boolean() }),
  }),
).operations;
const carry = executor<typeof rows>({
  sweep: async (call) => {
    const { id } = call.input;
    const seen = await call.asSystem.get(notes, id);
    const { data } = await call.asSystem.list(plain, {});
    const said = { seen: seen !== undefined, plain: data.length };
    return call.write([call.asSystem.remove(notes, id)], ([left]) => ({ ...said, left: left !== undefined }));
  },
});

const clerk: Principal = { subject: 'cid', roles: ['clerk'], claims: {} };
const bob: Principal = { subject: 'bob', roles: [], claims: {} };
const note = (more: JsonObject = {}) => ({ by: 'ada', text: 'a', state: 'open', ...more });

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(notes, plain), { erasingRestMs: 50 });
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const make = async (id: string, more: JsonObject = {}) =>
    expect((await origin.ask('create', notes, { body: { id, ...note(more) } })).outcome).toBe('created');
  const remove = async (id: string) => expect((await origin.ask('remove', notes, { id })).outcome).toBe('removed');
  const by = (name: keyof typeof removals, asking: DirectAsking = {}) =>
    origin.askBy(removals[name], execute, notes, { principal: clerk, ...asking });
  const ids = ({ json }: DirectAnswer) => (json['data'] as readonly JsonObject[]).map(({ id }) => id);
  const outcomes = async (...answers: readonly Promise<DirectAnswer>[]) => (await Promise.all(answers)).map(({ outcome }) => outcome);

  test('what is removed is hidden by every door, from its author and its remover too', async () => {
    await make('n-1');
    await make('n-2');
    expect(ids(await origin.ask('list', notes, { query: '?text=a&count=exact' }))).toEqual(['n-2', 'n-1']);
    await remove('n-1');
    const listed = await origin.ask('list', notes, { query: '?text=a&count=exact' });
    expect([ids(listed), (listed.json['page'] as JsonObject)['total']]).toEqual([['n-2'], 1]);
    for (const principal of [ada, bob, clerk, anonymous]) {
      expect((await origin.ask('get', notes, { id: 'n-1', principal })).outcome).toBe('absent');
    }
    expect(await outcomes(
      origin.ask('patch', notes, { id: 'n-1', body: { text: 'b' } }), origin.ask('remove', notes, { id: 'n-1' }),
      origin.ask('create', notes, { body: { id: 'n-1', ...note() } }), origin.ask('replace', notes, { id: 'n-1', body: note() }),
    )).toEqual(['document_not_found', 'document_not_found', 'document_exists', 'document_exists']);
    const rows = await origin.ask('import', notes, { body: JSON.stringify({ id: 'n-1', ...note() }), query: '?onDuplicate=replace' });
    expect(rows.text).toContain('document_exists');
    expect(await origin.stored(notes, 'n-1')).toMatchObject({ text: 'a', rev: 2, deletedAt: expect.any(String) });
  });

  test('whoever the rule restore lets in lists what is removed, the last first, and nobody else does', async () => {
    for (const id of ['n-10', 'n-11', 'n-12']) await make(id, { text: 'listed', seal: 'wax' });
    await make('n-13', { text: 'listed' });
    for (const id of ['n-11', 'n-10', 'n-12']) {
      await remove(id);
      await Bun.sleep(2);
    }
    const first = await by('removed', { query: '?limit=2&count=exact' });
    expect(ids(first)).toEqual(['n-12', 'n-10']);
    const [shown = {}] = first.json['data'] as readonly JsonObject[];
    expect([shown['deletedAt'], shown['seal']]).toEqual([expect.any(String), undefined]);
    const { next } = first.json['page'] as JsonObject;
    expect(ids(await by('removed', { query: `?limit=2&after=${String(next)}` }))[0]).toBe('n-11');
    expect(ids(await by('removed', { query: `?deletedAt[gt]=${String(shown['deletedAt'])}` }))).toEqual([]);
    const one = await by('removedOne', { id: 'n-10', query: '?fields=deletedAt' });
    expect(one.json).toEqual({ id: 'n-10', deletedAt: expect.any(String) });
    expect(await outcomes(
      by('removed', { principal: ada }), by('removed', { principal: anonymous }), by('removedOne', { id: 'n-10', principal: ada }),
      by('restore', { id: 'n-10', principal: ada }), by('erase', { id: 'n-10', principal: anonymous }),
      by('removedOne', { id: 'n-13' }), by('removed', { query: '?text=listed' }),
    )).toEqual(['forbidden', 'token_missing', 'forbidden', 'forbidden', 'token_missing', 'absent', 'query_not_served']);
  });

  test('the system, too, sees what stands alone, and leaves what it removes', async () => {
    const sweep = () => origin.askBy(rows.sweep, carry, notes, { body: { id: 'n-70' } });
    await make('n-70');
    const id = crypto.randomUUID();
    await origin.ask('import', plain, { body: JSON.stringify({ id, text: 'x' }) });
    expect((await origin.ask('remove', plain, { id })).outcome).toBe('removed');
    expect((await sweep()).json).toEqual({ seen: true, plain: 0, left: false });
    expect(await origin.stored(notes, 'n-70')).toMatchObject({ rev: 2, deletedAt: expect.any(String) });
    expect((await sweep()).outcome).toBe('document_not_found');
  });

  test('a restored document is where it was, as it was', async () => {
    await make('n-20', { text: 'back', seal: 'wax' });
    const before = await origin.stored(notes, 'n-20');
    await remove('n-20');
    expect((await by('restore', { id: 'n-20', ifMatch: '"other"' })).outcome).toBe('precondition_failed');
    const { etag } = await by('removedOne', { id: 'n-20' });
    const restored = await by('restore', { id: 'n-20', ifMatch: etag });
    expect([restored.outcome, restored.json['deletedAt'], restored.json['seal']]).toEqual(['written', undefined, undefined]);
    expect(await origin.stored(notes, 'n-20')).toEqual({ ...before, rev: 3, updatedAt: expect.any(String) });
    expect(ids(await origin.ask('list', notes, { query: '?text=back' }))).toEqual(['n-20']);
    await make('n-21', { state: 'shut' });
    // What stands, and what the caller does not see, are not told apart from what is not there.
    expect(await outcomes(
      by('restore', { id: 'n-20' }), by('erase', { id: 'n-20' }), by('restore', { id: 'n-21' }), by('erase', { id: 'n-none' }),
    )).toEqual(['document_conflict', 'document_conflict', 'document_not_found', 'document_not_found']);
  });

  test('an erased document is gone for good, and its name is free', async () => {
    await make('n-30');
    await remove('n-30');
    expect((await by('erase', { id: 'n-30' })).outcome).toBe('removed');
    expect([await origin.stored(notes, 'n-30'), (await by('erase', { id: 'n-30' })).outcome]).toEqual([undefined, 'document_not_found']);
    await make('n-30');
  });

  test('one key removes once, and is answered alike', async () => {
    await make('n-40');
    const first = await origin.ask('remove', notes, { id: 'n-40', idempotencyKey: 'k-40' });
    const again = await origin.ask('remove', notes, { id: 'n-40', idempotencyKey: 'k-40' });
    expect([first.outcome, again.outcome, again.text]).toEqual(['removed', 'removed', '']);
    expect(await origin.stored(notes, 'n-40')).toMatchObject({ rev: 2 });
  });

  test('of removals, restorations and patches at once, each is decided on what the one before it left', async () => {
    await make('n-50', { text: '' });
    const tries = Array.from({ length: 24 }, (_, index) => [
      origin.ask('remove', notes, { id: 'n-50' }), by('restore', { id: 'n-50' }),
      origin.ask('patch', notes, { id: 'n-50', body: { text: `t${index}` } }),
    ]).flat();
    const all = await Promise.all(tries);
    const done = all.filter(({ outcome }) => outcome === 'removed' || outcome === 'written').length;
    for (const { outcome } of all) {
      expect(['removed', 'written', 'document_not_found', 'document_conflict', 'unavailable']).toContain(outcome);
    }
    expect(await origin.stored(notes, 'n-50')).toMatchObject({ rev: 1 + done });
  });

  test('after its days it is erased by itself, and what is younger, restored or kept for good stays', async () => {
    const at = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
    const old = Array.from({ length: 230 }, (_, index) => `n-old-${index}`);
    const gone = { ...note({ text: 'old' }), rev: 1, deletedAt: at(31) };
    const mutations = old.map((id) => ({ resource: notes, id, decide: () => ({ kind: 'put', document: gone }) as const }));
    await origin.context.store.write(mutations, { deadline: Date.now() + 10_000 });
    await origin.put(notes, 'n-young', { ...note({ text: 'old' }), rev: 1, deletedAt: at(29) });
    await origin.put(plain, crypto.randomUUID(), { text: 'old', gone: at(900) });
    await eventually('all are erased', async () => {
      const stored = await origin.context.store.many(notes, old, { deadline: Date.now() + 10_000 });
      return stored.value.length === 0;
    });
    const { value: left } = await origin.context.store.many(notes, [...old, 'n-young'], { deadline: Date.now() + 10_000 });
    expect(left.map(({ id }) => id)).toEqual(['n-young']);
  }, 30_000);

  test('where Tombolo names documents, whoever sees all that stand may name one in a row', async () => {
    const id = crypto.randomUUID();
    const row = () => origin.ask('import', plain, { body: JSON.stringify({ id, text: 'x' }) });
    expect((await row()).text).toContain('"imported":1');
    expect((await origin.ask('remove', plain, { id })).outcome).toBe('removed');
    expect((await row()).text).toContain('document_exists');
    expect((await origin.askBy(removals.restore, execute, plain, { id, principal: clerk })).outcome).toBe('forbidden');
  });

  test('who follows the feed has what the list has, at all times', async () => {
    const seed = Date.now();
    const random = new Random(seed);
    const follower = await Follower.of(origin, ada);
    const names = ['n-a', 'n-b', 'n-c', 'n-d'] as const;
    for (let round = 0; round < 15; round++) {
      for (let step = 0; step < 6; step++) {
        const id = random.pick(names);
        const body = note({ text: 'feed', state: random.pick(['open', 'shut'] as const), by: random.pick(['ada', 'bob'] as const) });
        const principal = random.pick([ada, bob]);
        await random.pick([
          () => origin.ask('create', notes, { body: { id, ...body } }), () => origin.ask('patch', notes, { id, body, principal }),
          () => origin.ask('remove', notes, { id }), () => by('restore', { id }), () => by('erase', { id }),
        ])();
      }
      const { json } = await origin.ask('list', notes, { query: '?text=feed&limit=100' });
      const listed = json['data'] as readonly JsonObject[];
      await eventually(`what is listed is heard of (seed ${seed})`, () => {
        expect([...follower.seen.values()].sort(byId)).toEqual([...listed].sort(byId));
        return true;
      });
    }
    expect({ seed, mistakes: follower.mistakes }).toEqual({ seed, mistakes: [] });
    await follower.close();
  }, 60_000);
});

test.each([...engines])('a hook is told of a removal and a restoration as of an end and a beginning, once, on %s', async (engine) => {
  const told: string[] = [];
  const hook = afterCommit({
    name: 'told', of: notes, handle: ({ kind, id }) => (told.push(`${kind} ${id}`), Promise.resolve([])), resync: () => [],
  });
  await using origin = await DirectOrigin.on(engine, contract(notes, plain), { afterCommits: [hook], erasingRestMs: 50 });
  const by = (name: keyof typeof removals, id: string) => origin.askBy(removals[name], execute, notes, { principal: clerk, id });
  // A new hook begins where it is first run.
  await eventually('it is told of something', async () => {
    await origin.put(notes, 'n-0', { ...note(), text: String(Math.random()), rev: 1 });
    return told.length > 0;
  });
  await origin.ask('create', notes, { body: { id: 'n-1', ...note() } });
  await origin.ask('remove', notes, { id: 'n-1' });
  await by('restore', 'n-1');
  await origin.ask('remove', notes, { id: 'n-1' });
  expect((await by('erase', 'n-1')).outcome).toBe('removed');
  await origin.put(notes, 'n-old', { ...note(), rev: 1, deletedAt: '2020-01-01T00:00:00.000Z' });
  await eventually('it is erased', async () => (await origin.stored(notes, 'n-old')) === undefined);
  await origin.ask('create', notes, { body: { id: 'n-2', ...note() } });
  await eventually('the hook is told', () => told.includes('created n-2'), { msMax: 15_000 });
  const heard = told.filter((line) => !line.endsWith('n-0'));
  expect(heard).toEqual(['created n-1', 'deleted n-1', 'created n-1', 'deleted n-1', 'created n-2']);
}, 30_000);

/** Keeps what the feed tells it. */
class Follower {
  readonly seen = new Map<unknown, JsonObject>();
  readonly mistakes: string[] = [];
  readonly #stream: EventStream;

  static async of(origin: DirectOrigin, principal: Principal): Promise<Follower> {
    let body: unknown;
    const open: typeof execute = async (context, call) => {
      const answer = await execute(context, call);
      ({ body } = answer);
      return { outcome: answer.outcome };
    };
    await origin.askBy(documents.changes, open, notes, { principal });
    const stream = new EventStream(new Response(body as ReadableStream<Uint8Array>));
    await stream.heardFrom();
    return new Follower(stream);
  }

  constructor(stream: EventStream) {
    this.#stream = stream;
    void this.#read();
  }

  close(): Promise<void> {
    return this.#stream.close();
  }

  async #read(): Promise<void> {
    for (let event = await this.#stream.next(); event !== undefined; event = await this.#stream.next()) {
      const document = JSON.parse(event.data) as JsonObject;
      const { id } = document;
      const isNew = event.name === 'created' || event.name === 'entered';
      if (isNew === this.seen.has(id)) this.mistakes.push(`${event.name} ${String(id)}`);
      if (event.name === 'deleted' || event.name === 'left') this.seen.delete(id);
      else this.seen.set(id, document);
    }
  }
}

function byId(left: JsonObject, right: JsonObject): number {
  return String(left['id']) < String(right['id']) ? -1 : 1;
}

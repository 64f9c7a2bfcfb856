/** Answers that are kept: shown while nothing has changed that they depend on, and never for longer than that. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { openKeptAnswers } from '../../../origin/answers/kept-answers.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { anonymous, type Principal } from '../../../shared/wire/principal.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin, type DocumentOperation } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import type { ForeignProgram } from '../../support/foreign-program.ts';
import { Random } from '../../support/random.ts';
import { StoreFile, withDatabase } from '../../support/store-file.ts';

const notes = resource({
  name: 'notes',
  id: { kind: 'string', format: z.string().regex(/^[a-z0-9]+$/) },
  schema: z.object({ by: z.string(), open: z.boolean(), size: integer(), tags: z.array(z.string()), secret: z.string().optional() }),
  rules: { read: any(equals('open', true), owner('by'), role('editor')), write: signedIn },
  fieldRules: { secret: { read: any(owner('by'), role('editor')) } },
  shapes: { all: { range: 'size', sort: ['size'] }, byTag: { equal: ['tags'], sort: ['-size'] } },
});
/** Written beside them, and read by nobody. */
const others = resource({ ...declaredAs('others'), schema: z.object({ size: integer() }) });
const uncached = resource({ ...declaredAs('uncached'), schema: z.object({ size: integer() }), cache: 'none' });

function declaredAs(name: string) {
  const id = { kind: 'string', format: z.string().regex(/^[a-z0-9]+$/) } as const;
  return { name, id, rules: { read: role('editor'), write: role('editor') }, shapes: { all: {} } };
}

const editor: Principal = { subject: 'eve', roles: ['editor'], claims: {} };
const principals = [editor, anonymous, { subject: 'ada', roles: [], claims: {} }, { subject: 'bob', roles: [], claims: {} }] as const;
const document = (size: number) => ({ by: 'ada', open: true, size, tags: ['x'] });

describe('kept answers', () => {
  let origin: DirectOrigin;
  let program: ForeignProgram;
  beforeAll(async () => {
    const all = contract(notes, others, uncached);
    origin = await DirectOrigin.on('sqlite', all);
    program = new StoreFile(origin.context.settings.dataDir);
  });
  afterAll(async () => {
    await origin[Symbol.asyncDispose]();
    await program.close();
  });

  /** How often the store is asked for these. */
  const readsOf = async (...asked: (() => Promise<unknown>)[]) => {
    using get = spyOn(origin.context.store, 'get');
    using list = spyOn(origin.context.store, 'list');
    for (const ask of asked) await ask();
    return get.mock.calls.length + list.mock.calls.length;
  };
  const put = (id: string, size: number) => origin.ask('replace', notes, { id, body: document(size), principal: editor });
  const get = (id: string, asking: DirectAsking = {}) => origin.ask('get', notes, { id, principal: editor, ...asking });
  const list = (query: string, asking: DirectAsking = {}) => origin.ask('list', notes, { query, principal: editor, ...asking });
  const untilKept = (ask: () => Promise<unknown>) => eventually('an answer that is kept', async () => (await readsOf(ask)) === 0);

  test('are made once, and shown under the conditions of whoever asks', async () => {
    await put('a', 1);
    const first = await get('a');
    await untilKept(() => get('a'));
    expect(await get('a')).toMatchObject({ outcome: 'found', text: first.text, etag: first.etag, json: { size: 1 } });
    expect(await get('a', { ifNoneMatch: first.etag })).toMatchObject({ outcome: 'unchanged', etag: first.etag });
    expect(await get('a', { ifMatch: '"another"' })).toMatchObject({ outcome: 'precondition_failed' });
    await untilKept(() => get('a', { ifNoneMatch: first.etag }));
  });

  test('stand while other documents change, and are made anew when their own does', async () => {
    await put('b', 1);
    await put('c', 1);
    await untilKept(() => get('b'));
    await put('c', 2);
    await origin.ask('replace', others, { id: 'c', body: { size: 2 }, principal: editor });
    await untilKept(() => get('b'));
    await put('b', 2);
    expect((await get('b')).json).toMatchObject({ size: 2 });
  });

  test('are not shown once this process has written anything that they depend on', async () => {
    await put('own', 0);
    await untilKept(() => get('own'));
    for (let size = 1; size < 30; size++) {
      await put('own', size);
      expect((await get('own')).json).toMatchObject({ size });
      await get('own');
    }
  });

  test('of a page have the cursors and the position that the page itself has', async () => {
    for (const [index, id] of ['p1', 'p2', 'p3'].entries()) {
      await origin.ask('replace', notes, { id, body: { ...document(index), tags: ['paged'] }, principal: editor });
    }
    const query = '?tags=paged&limit=2';
    const first = await list(query);
    await untilKept(() => list(query));
    const kept = await list(query);
    expect({ ...kept, readAt: undefined }).toEqual({ ...first, readAt: undefined });
    expect(kept.readAt?.epoch).toBe(first.readAt?.epoch);
    expect(String(kept.readAt?.order) >= String(first.readAt?.order)).toBe(true);
    expect((await list(`${query}&after=${kept.pages?.next}`)).json).toMatchObject({ data: [{ id: 'p1' }] });
  });

  test('are for those of the same scope alone', async () => {
    await origin.ask('replace', notes, { id: 'mine', body: { ...document(7), open: false, secret: 'told' }, principal: editor });
    await untilKept(() => get('mine'));
    expect(await get('mine', { principal: anonymous })).toMatchObject({ outcome: 'absent' });
    expect(await get('mine', { principal: principals[2] })).toMatchObject({ outcome: 'found', json: { secret: 'told' } });
    expect(await get('mine', { principal: principals[3] })).toMatchObject({ outcome: 'absent' });
  });

  test('are not shown to whoever demands a state that may be newer', async () => {
    await put('d', 1);
    await untilKept(() => get('d'));
    const { writtenAt } = await put('d', 2);
    if (writtenAt === undefined) throw new Error('a write states its position');
    expect(await readsOf(() => get('d', { atLeast: writtenAt }))).toBe(1);
    expect((await get('d', { atLeast: writtenAt })).json).toMatchObject({ size: 2 });
  });

  test('take no more bytes than they may: what was not asked for goes first', async () => {
    const { answers } = origin.context;
    origin.change({ answers: openKeptAnswers({ ...origin.context, bytesMax: 20_000 }) });
    const ids = Array.from({ length: 40 }, (_, index) => `many${index}`);
    for (const [index, id] of ids.entries()) await put(id, index);
    await untilKept(() => get('many0'));
    for (const id of ids) await get(id), await get('many0');
    await untilKept(() => get('many0'));
    const again = await readsOf(...ids.map((id) => () => get(id)));
    expect(again).toBeGreaterThan(20);
    expect(openKeptAnswers({ ...origin.context, bytesMax: 0 })).toBeUndefined();
    origin.change({ answers });
  });

  test('are kept also of a resource that the edge may not keep, since the store tells all changes at once', async () => {
    await origin.ask('replace', uncached, { id: 'u', body: { size: 1 }, principal: editor });
    const ask = () => origin.ask('get', uncached, { id: 'u', principal: editor });
    await ask();
    expect(await readsOf(ask, ask)).toBe(0);
  });

  const seed = Math.floor(Math.random() * 2 ** 32);
  test(`at random are those that the documents give, whoever wrote them, seed ${seed}`, async () => {
    const random = new Random(seed);
    const ids = ['r1', 'r2', 'r3', 'r4', 'r5', 'r6'] as const;
    const tags = ['x', 'y', 'z'] as const;
    const next = () => ({
      by: random.pick(['ada', 'bob', 'eve'] as const), open: random.chance(0.5), size: random.below(4),
      tags: tags.filter(() => random.chance(0.4)), ...(random.chance(0.5) ? { secret: `s${random.below(9)}` } : {}),
    });
    const queries = ['', '?tags=x', '?tags[in]=x,y', '?size[gte]=1&limit=2', '?tags=z&fields=size&count=exact'];
    const question = (): readonly [DocumentOperation, DirectAsking] => {
      const principal = random.pick(principals);
      return random.chance(0.5)
        ? ['get', { id: random.pick(ids), principal, query: random.pick(['', '?fields=secret,size'] as const) }]
        : ['list', { query: random.pick(queries) ?? '', principal }];
    };
    let fromMemory = 0;
    const askBoth = async ([name, asking]: ReturnType<typeof question>) => {
      const { answers } = origin.context;
      const [kept, made] = [{ answer: {} }, { answer: {} }];
      if ((await readsOf(async () => (kept.answer = shownOf(await origin.ask(name, notes, asking))))) === 0) fromMemory++;
      origin.change({ answers: undefined });
      made.answer = shownOf(await origin.ask(name, notes, asking));
      origin.change({ answers });
      return [kept.answer, made.answer] as const;
    };
    const write = async () => {
      const id = random.pick(ids);
      const isThere = (await origin.stored(notes, id)) !== undefined;
      switch (random.below(isThere ? 6 : 2)) {
        case 0: return origin.ask('replace', notes, { id, body: next(), principal: editor });
        case 1: return isThere ? program.replace('notes', id, next()) : program.insert('notes', id, next());
        case 2: return program.set('notes', id, { open: random.chance(0.5), size: random.below(4) });
        case 3: return program.remove('notes', id);
        case 4: return origin.ask('patch', notes, { id, body: { tags: next().tags, by: next().by }, principal: editor });
        default: return origin.ask('remove', notes, { id, principal: editor });
      }
    };
    for (let round = 0; round < 120; round++) {
      await write();
      await nextTurn();
      for (let times = random.below(30); times > 0; times--) {
        const asking = question();
        const [kept, made] = await askBoth(asking);
        expect(kept).toEqual(made);
      }
    }
    // Where none was shown from memory, nothing was tested.
    expect(fromMemory).toBeGreaterThan(100);
  }, 30_000);
});

/** SQLite reads what others commit from the next turn on. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** What of an answer everybody sees: its position may be a later one. */
function shownOf({ readAt: _, ...shown }: DirectAnswer): Omit<DirectAnswer, 'readAt'> {
  return shown;
}

describe('kept answers on SQLite', () => {
  test('are those of the file also where another program breaks what tells of its writes', async () => {
    await using origin = await DirectOrigin.on('sqlite', contract(notes));
    const path = `${origin.context.settings.dataDir}/${databaseName}`;
    await origin.ask('replace', notes, { id: 'a', body: document(1), principal: editor });
    const size = async () => (await origin.ask('get', notes, { id: 'a', principal: editor })).json['size'];
    expect([await size(), await size()]).toEqual([1, 1]);
    withDatabase(path, (database) => {
      const triggers = database.query<{ name: string }, []>(`SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'notes'`);
      for (const { name } of triggers.all()) database.run(`DROP TRIGGER "${name}"`);
      database.run(`UPDATE notes SET doc = json_set(doc, '$.size', 2) WHERE id = 'a'`);
    });
    await nextTurn();
    expect(await size()).toBe(2);
    await eventually('an answer that is kept again', async () => {
      using get = spyOn(origin.context.store, 'get');
      await size();
      return get.mock.calls.length === 0;
    });
    withDatabase(path, (database) => database.run(`UPDATE notes SET doc = json_set(doc, '$.size', 3) WHERE id = 'a'`));
    await nextTurn();
    expect(await size()).toBe(3);
  });
});

test('nothing is kept before MongoDB, which tells of changes a little late', async () => {
  await using origin = await DirectOrigin.on('mongodb', contract(notes));
  expect(origin.context.answers).toBeUndefined();
});

/** Searches by text and folded values (SEMANTICS §7): what is found when, by whom, and at what cost. */
import { describe, expect, spyOn, test } from 'bun:test';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { entryIndexesOf } from '../../../shared/contract/entry-index.ts';
import { films } from '../../../shared/resources/films.ts';
import { versions } from '../../../shared/resources/versions.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { eventually } from '../../support/eventually.ts';
import { editor, textNotes } from '../../support/text-notes.ts';
import { TextWorld } from '../../support/text-world.ts';
import { engines } from '../../support/whole-world.ts';

const note = (title: string, year = 1949) => ({ title, tags: [], year, by: 'ada', open: true });
const noteNames = { name: 'notes', id: textNotes.id, rev: false, createdAt: false, updatedAt: false } as const;
const rules = { read: anyone, write: anyone };

describe.each([...engines])('on %s', (engine) => {
  test('what is written is found at once, and what is changed or removed is not', async () => {
    await using world = await TextWorld.on(engine);
    await world.untilServed();
    const write = (operation: 'replace' | 'patch' | 'remove', body?: object) =>
      world.origin.ask(operation, textNotes, { id: 'a', principal: editor, ...(body === undefined ? {} : { body }) });
    await write('replace', note('The Third Man'));
    expect(await world.find('q=third')).toEqual(['a']);
    await write('patch', { title: 'The Fourth Man' });
    expect([await world.find('q=third'), await world.find('q=fourth man')]).toEqual([[], ['a']]);
    expect(await world.find('title=THE FOURTH MÁN')).toEqual(['a']);
    await write('remove');
    expect([await world.find('q=fourth'), await world.find('title=the fourth man')]).toEqual([[], []]);
  });

  test('documents that were there before the declaration are found once all are looked at, and no search is answered before', async () => {
    const plain = resource({ ...noteNames, schema: textNotes.schema, rules, shapes: { all: {} } });
    const searched = resource({ ...textNotesOf(['title']), rules });
    await using world = await TextWorld.on(engine, plain);
    for (let number = 0; number < 35; number++) await world.program.insert('notes', `n${number}`, note(`Third ${number}`, number));
    await world.end();
    await world.begin(searched);
    const ask = () => world.origin.ask('list', searched, { query: '?q=thi&limit=50' });
    const first = await ask();
    expect(first.outcome).toBe('shape_not_ready');
    const state = async () => (await world.origin.context.services.states())['entries of notes.found'];
    expect(await state()).toMatchObject({ ready: true, pending: ['entries of notes.found'] });
    // Cut short, it goes on after the restart.
    await world.end();
    await world.begin(searched);
    const { json } = await eventually('it is served', async () => {
      const answer = await ask();
      return answer.outcome === 'found' && answer;
    });
    expect(json['data']).toHaveLength(35);
    expect(await state()).toEqual({ ready: true });
  });

  test('what another program wrote while no origin ran is found afterwards, all of it', async () => {
    const searched = resource({ ...textNotesOf(['title']), rules });
    await using world = await TextWorld.on(engine, searched);
    const found = async () => {
      const { data } = (await world.origin.ask('list', searched, { query: '?q=third&limit=100' })).json;
      return Array.isArray(data) ? data.length : undefined;
    };
    await eventually('it is served', async () => (await found()) === 0);
    await world.end();
    // More than are made at once.
    for (let number = 0; number < 45; number++) await world.program.insert('notes', `n${number}`, note('Third', number));
    await world.begin();
    await eventually('all are found', async () => (await found()) === 45, { msMax: 60_000 });
  });

  test('another declaration has its own entries, and finds by them', async () => {
    const narrow = resource({ ...textNotesOf(['title']), rules });
    await using world = await TextWorld.on(engine, narrow);
    await world.origin.ask('replace', narrow, { id: 'a', body: { ...note('Third'), tags: ['Vienna'] } });
    await world.end();
    const wider = resource({ ...textNotesOf(['title', 'tags']), rules });
    await world.begin(wider);
    await eventually('it is found', async () => (await world.origin.ask('list', wider, { query: '?q=vien third' })).text.includes('"a"'));
  });

  test('entries whose documents are gone, and entries that somebody dropped, are made anew', async () => {
    await using world = await TextWorld.on(engine);
    await world.untilServed();
    for (const each of ['a', 'b']) await world.origin.ask('replace', textNotes, { id: each, body: note('Third'), principal: editor });
    const { store } = world.origin.context;
    const [index] = entryIndexesOf(textNotes);
    if (index === undefined) throw new Error('no index');
    await world.program.remove(index.entries.name, 'a');
    await world.program.remove('tombolo_entries', index.entries.name);
    await eventually('it is found again', async () => Bun.deepEquals(await world.find('q=third'), ['a', 'b']));
    const entry = { resource: index.entries, id: 'x', decide: () => ({ kind: 'put' as const, document: { words: ['thi'], open: true } }) };
    await store.write([entry], { deadline: Date.now() + 5_000 });
    await world.program.remove('tombolo_entries', index.entries.name);
    const isGone = async () => (await store.get(index.entries, 'x', { deadline: Date.now() + 5_000 })).value === undefined;
    await eventually('what has no document is taken out', isGone);
    expect(await world.find('q=third')).toEqual(['a', 'b']);
  });

  test('whoever may not read a text may not search it, and a hidden document is not counted', async () => {
    await using world = await TextWorld.on(engine);
    await world.untilServed();
    await world.origin.ask('replace', textNotes, { id: 'a', body: { ...note('Third'), secret: 'vault', open: false }, principal: editor });
    const asked = (query: string, principal = anonymous) => world.origin.ask('list', textNotes, { query, principal });
    expect(await asked('?q=vault&year=1949')).toMatchObject({ outcome: 'forbidden', errors: [{ at: 'secret' }] });
    expect(await world.find('q=vault&year=1949', editor)).toEqual(['a']);
    expect((await asked('?q=third&count=exact')).json['page']).toMatchObject({ total: 0 });
    expect((await asked('?q=third&count=exact', editor)).json['page']).toMatchObject({ total: 1 });
  });
});

test('a search looks at no more than a stated number of entries, and goes on where it broke off', async () => {
  const searched = resource({ ...textNotesOf(['title']), rules });
  await using world = await TextWorld.on('sqlite', searched);
  await world.untilServed();
  const { store } = world.origin.context;
  const all = 2_230;
  // Both beginnings are common, and the words behind them meet in one document alone, the last.
  const title = (number: number) => (number === all - 1 ? 'abcdef uvwxyz' : `abcde${number} uvwxy${number}`);
  const put = (number: number) => ({
    resource: searched, id: `m${number}`, decide: () => ({ kind: 'put' as const, document: note(title(number), number) }),
  });
  for (let start = 0; start < all; start += 246) {
    await store.write(Array.from({ length: 246 }, (_, number) => put(start + number)), { deadline: Date.now() + 60_000 });
  }
  using list = spyOn(store, 'list');
  const lookedAt = async () => {
    const walks = list.mock.calls.flatMap(([, { equal }], call) => (equal['words'] === undefined ? [] : (list.mock.results[call] ?? [])));
    list.mockClear();
    return Promise.all(walks.map(async ({ value }) => (await (value as ReturnType<typeof store.list>)).value.length));
  };
  const query = `?q=${encodeURIComponent('abcdef uvwxyz')}&limit=5`;
  const first = await world.page(query);
  const looked = await lookedAt();
  expect([looked.reduce((sum, each) => sum + each, 0), first?.ids, typeof first?.next]).toEqual([limits.textExaminedMax, [], 'string']);
  const second = await world.page(`${query}&after=${first?.next}`);
  expect([second?.ids, typeof second?.next]).toEqual([[], 'string']);
  // The way back from a page that shows nothing begins where that page ended, and not at the last one.
  expect((await world.page(`${query}&after=${second?.prev}`))?.ids).toEqual([]);
  const third = await world.page(`${query}&after=${second?.next}`);
  expect([third?.ids, third?.next]).toEqual([[`m${all - 1}`], undefined]);
  const back = await world.page(`${query}&after=${third?.prev}`);
  expect([back?.ids, typeof back?.prev]).toEqual([[], 'string']);
  expect(await world.page('?q=abcde&count=exact&limit=1')).toMatchObject({ page: { total: limits.textExaminedMax, totalIsMinimum: true } });
  await lookedAt();
  await world.page('?q=abcde&limit=5');
  expect(await lookedAt()).toEqual([6]);
}, 60_000);

test('an older version searches alike', () => {
  const served = contract(films, versions);
  const [v1] = served.versions.all;
  const translation = v1 === undefined ? undefined : translationOf(served.versions, films, v1);
  expect(translation?.upQuery('?q=third+man&fields=thumbnail')).toBe('?q=third%20man&fields=image.url');
});

test('an answer that is kept ends when what another program wrote has come to be found', async () => {
  await using world = await TextWorld.on('sqlite');
  await world.untilServed();
  expect(await world.find('q=third')).toEqual([]);
  await world.program.insert('notes', 'a', note('Third'));
  await eventually('it is found', async () => Bun.deepEquals(await world.find('q=third'), ['a']));
  await world.program.set('notes', 'a', { title: 'Fourth' });
  await Bun.sleep(1);
  expect(await world.find('q=third')).toEqual([]);
  await eventually('it is found by its new words', async () => Bun.deepEquals(await world.find('q=fourth'), ['a']));
});

function textNotesOf(text: readonly string[]) {
  return { ...noteNames, schema: textNotes.schema, shapes: { found: { text, sort: ['year'] } } };
}

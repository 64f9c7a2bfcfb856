/** What a caller's version of the API has no name for stays where it is, whatever that caller writes (SEMANTICS §19). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const books = resource({
  name: 'books',
  schema: z.object({
    title: z.string(), kind: z.string(), note: z.string().optional(),
    image: z.object({ url: z.string().optional(), alt: z.string().optional() }).optional(),
    lines: z.array(z.object({ text: z.string(), tax: z.number().optional() })).default([]),
  }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => (origin = await DirectOrigin.on(engine, contract(books))));
  afterAll(() => origin[Symbol.asyncDispose]());
  const keeps = ['kind', 'note', 'lines.tax', 'nothing'];
  const stored = { title: 'A', kind: 'novel', note: 'n', lines: [{ text: 'x', tax: 1 }, { text: 'y', tax: 2 }] };
  const created = async (body: JsonObject): Promise<string> =>
    String((await origin.ask('create', books, { body: JSON.stringify(body) })).json['id']);
  const fieldsOf = async (id: string) => {
    const { id: _id, rev: _rev, createdAt: _made, updatedAt: _changed, ...fields } = (await origin.ask('get', books, { id })).json;
    return fields;
  };

  test('a replacement leaves it, and an initial value is that of a new document alone', async () => {
    const id = await created(stored);
    const body = JSON.stringify({ title: 'B', kind: 'unknown', lines: [{ text: 'y' }, { text: 'z' }, { text: 'x' }] });
    await origin.ask('replace', books, { id, body, keeps });
    expect(await fieldsOf(id)).toEqual({
      title: 'B', kind: 'novel', note: 'n', lines: [{ text: 'y', tax: 2 }, { text: 'z' }, { text: 'x', tax: 1 }],
    });
    await origin.ask('replace', books, { id, body });
    expect(await fieldsOf(id)).toEqual({ title: 'B', kind: 'unknown', lines: [{ text: 'y' }, { text: 'z' }, { text: 'x' }] });
  });

  test('a replacement that leaves out all else of an object leaves it in that object', async () => {
    const id = await created({ ...stored, image: { url: 'u', alt: 'a' } });
    const { note: _note, ...body } = stored;
    await origin.ask('replace', books, { id, body: JSON.stringify(body), keeps: ['note', 'image.alt'] });
    expect(await fieldsOf(id)).toEqual({ ...stored, image: { alt: 'a' } });
    await origin.ask('replace', books, { id, body: JSON.stringify(body), keeps: ['note'] });
    expect(await fieldsOf(id)).toEqual(stored);
  });

  test('a patch leaves it in the elements of an array that is sent whole', async () => {
    const id = await created(stored);
    await origin.ask('patch', books, { id, body: JSON.stringify({ lines: [{ text: 'y' }] }), keeps });
    expect(await fieldsOf(id)).toEqual({ ...stored, lines: [{ text: 'y', tax: 2 }] });
  });

  test('a replacement that changes nothing makes no revision', async () => {
    const id = await created(stored);
    const { title, lines } = stored;
    const body = JSON.stringify({ title, kind: 'unknown', lines: lines.map(({ text }) => ({ text })) });
    expect((await origin.ask('replace', books, { id, body, keeps })).json['rev']).toBe(1);
  });

  test('an imported row that replaces a document leaves it', async () => {
    const id = await created(stored);
    const body = JSON.stringify({ id, title: 'C', kind: 'unknown', lines: [] });
    await origin.ask('import', books, { body, query: '?onDuplicate=replace', keeps });
    expect(await fieldsOf(id)).toEqual({ title: 'C', kind: 'novel', note: 'n', lines: [] });
  });
});

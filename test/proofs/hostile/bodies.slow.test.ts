/** Bodies that parsers disagree on, fail at or believe: a refusal that names the place, and nothing changed. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { createFilm, toFilm } from '../../support/film.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';

describe.each([...stacks])('bodies, in %s', (stack) => {
  let world: World;
  let editor: string;
  let path: string;
  let before: string;
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack });
    editor = await world.token();
    ({ path } = await createFilm(world, { title: 'Untouched' }));
  });
  afterAll(() => world.close());

  const films = async (): Promise<string> =>
    (await world.request('/v2/films?limit=200', { headers: { 'cache-control': 'no-store' } })).text;
  beforeEach(async () => void (before = await films()));

  const post = (body: Bun.BodyInit, type = 'application/json') =>
    world.request('/v2/films', { token: editor, body, headers: { 'content-type': type } });
  const patch = (body: string) =>
    world.request(path, { method: 'PATCH', token: editor, body, headers: { 'content-type': 'application/merge-patch+json' } });
  /** A film with one more member, or with one in place of its own, as text: not everything here is JSON. */
  const filmWith = (member: string): string => `${JSON.stringify(toFilm()).slice(0, -1)},${member}}`;
  const deep = (open: string, close: string, levels: number): string => open.repeat(levels) + close.repeat(levels);

  async function expectRefused(answers: Readonly<Record<string, Awaited<ReturnType<typeof post>>>>): Promise<void> {
    for (const [what, { status, text, headers }] of Object.entries(answers)) {
      expect([what, status >= 400 && status < 500, headers.get('content-type')]).toEqual([what, true, 'application/problem+json']);
      if (status === 422) expect([what, (JSON.parse(text) as { errors?: unknown[] }).errors?.length ?? 0]).not.toEqual([what, 0]);
    }
    expect(await films()).toBe(before);
  }

  describe('refused, with nothing changed', () => {
    test('members that are not declared, whatever they are called', async () => {
      const answers: Record<string, Awaited<ReturnType<typeof post>>> = {};
      for (const name of [
        '__proto__', 'constructor', 'prototype', 'toString', '$set', '$where', 'a.b', '', 'id', 'rev', 'createdAt',
        '\\u005f_proto__', '\\u0000',
      ]) {
        for (const value of ['1', '{"editor":true}', 'null']) answers[`${name} ${value}`] = await post(filmWith(`"${name}":${value}`));
      }
      await expectRefused(answers);
      expect(({} as { editor?: boolean }).editor).toBeUndefined();
    });

    test('nesting of a hundred thousand levels, in what is declared and what is not', async () => {
      const levels = 100_000;
      await expectRefused({
        title: await post(filmWith(`"title":${deep('[', ']', levels)}`)),
        unknown: await post(filmWith(`"deep":${deep('{"a":', '}', levels).replace(/\}/, '1}')}`)),
        whole: await post(deep('[', ']', levels)),
        unclosed: await post('['.repeat(levels)),
        list: await post(filmWith(`"genres":${deep('[', ']', levels)}`)),
        patch: await patch(`{"title":${deep('{"a":', '}', levels).replace(/\}/, '1}')}}`),
        rev: await patch(`{"rev":${deep('[', ']', levels)}}`),
      });
    });

    test('numbers that no number holds', async () => {
      const answers: Record<string, Awaited<ReturnType<typeof post>>> = {};
      for (const number of [
        '1e400', '-1e400', '1e21', '9007199254740993', '1949.5', '-0.0001', '0x10', '01949', 'NaN', 'Infinity',
        `1${'0'.repeat(100_000)}`,
        `0.${'0'.repeat(100_000)}1`,
      ]) {
        answers[number.slice(0, 20)] = await post(filmWith(`"year":${number}`));
      }
      await expectRefused(answers);
    });

    test('text that is not Unicode, escaped or raw', async () => {
      const bytes = (...raw: number[]): Uint8Array<ArrayBuffer> =>
        new Uint8Array([...new TextEncoder().encode('{"title":"'), ...raw, ...new TextEncoder().encode('","year":1949}')]);
      await expectRefused({
        'a high surrogate': await post(filmWith('"title":"\\ud800"')),
        'a low surrogate': await post(filmWith('"title":"a\\udc00b"')),
        'in a list': await post(filmWith('"genres":["\\udfff"]')),
        reversed: await post(filmWith('"title":"\\udc00\\ud800"')),
        'in a patch': await patch('{"title":"\\ud83d"}'),
        'not UTF-8': await post(bytes(0xff)),
        'an encoded surrogate': await post(bytes(0xed, 0xa0, 0x80)),
        'overlong': await post(bytes(0xc0, 0xaf)),
        'UTF-16': await post(new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])),
      });
    });

    test('what is no object, or no JSON', async () => {
      const answers: Record<string, Awaited<ReturnType<typeof post>>> = {};
      for (const body of [
        '', 'null', '[]', '1', '"a"', 'true',
        '{',
        '{}{}',
        "{'title':1}",
        '{"title":"a",}',
        '// {}',
        '\u0000',
        `[${filmWith('"a":1')}]`,
      ]) {
        answers[`post ${body}`] = await post(body);
        answers[`patch ${body}`] = await patch(body);
      }
      for (const type of [
        'application/json; charset=utf-16',
        'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/xml', '',
        'application/json, text/plain',
      ]) {
        answers[type] = await post(JSON.stringify(toFilm()), type);
      }
      answers['encoded'] = await world.request('/v2/films', {
        token: editor,
        body: Bun.gzipSync(new TextEncoder().encode(JSON.stringify(toFilm()))),
        headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      });
      await expectRefused(answers);
    });
  });

  test('a member given twice means the same to edge, origin and database', async () => {
    const answer = await post('{"title":"First","title":"Second","year":"x","year":1949}');
    expect([answer.status, answer.film.title, answer.film.year]).toEqual([201, 'Second', 1949]);
    expect((await world.request(`/v2/films/${answer.film.id}`)).text).toBe(answer.text);
    expect((await world.request(`/v2/films?title=Second`)).page.data.map(({ id }) => id)).toEqual([answer.film.id]);
    expect((await world.request(`/v2/films?title=First`)).page.data).toEqual([]);
  });

  test('characters that end texts elsewhere are text here', async () => {
    for (const title of [
      'a\u0000b',
      '\u2028',
      '\ufeff',
      '\u202e',
      "'; DROP TABLE films; --",
      '{{7*7}}',
      '<script>',
      '\r\nSet-Cookie: a=b',
      '🎬',
      '\u{10ffff}',
    ]) {
      const { film, path: made } = await createFilm(world, { title });
      expect(film.title).toBe(title);
      expect((await world.request(made)).film.title).toBe(title);
      expect((await world.request(`/v2/films?title=${encodeURIComponent(title)}`)).page.data.map(({ id }) => id)).toEqual([film.id]);
    }
  });
});

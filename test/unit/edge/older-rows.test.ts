/** What comes in lines, in an older version: however it is cut, each line is translated by itself (SEMANTICS §19). */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { BodyPieces, type Pieces } from '../../../edge/request/body-pieces.ts';
import { mapLines } from '../../../edge/versions/lines.ts';
import { downEventLine, toOlderRows } from '../../../edge/versions/rows.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { films } from '../../../shared/resources/films.ts';
import { served } from '../../../shared/resources/all.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { limits } from '../../../shared/wire/limits.ts';

const [v1 = served.versions.current] = served.versions.all;
const translation = dialectOf(served, { operation: documents.import, resource: films }, v1)?.input;
if (translation === undefined) throw new Error('films are the same in v1');
const down = translation;

/** The text in pieces of these sizes, over and over. */
function cut(text: string, sizes: readonly number[]): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = sizes[turn++ % sizes.length] ?? 1;
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  });
}

async function textOf(pieces: Pieces): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) parts.push(piece);
  return Buffer.concat(parts).toString();
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

describe('rows of an import in v1', () => {
  const rows = [
    '{"title":"Ä","thumbnail":"https://e.org/a","thumbnail_width":3}', '', '{"title":"B","image":{"url":"x"}}', 'no json', '[1]',
    '{"title":"C","thumbnail_height":4}',
  ];

  test('are those of the current version line by line, however they are cut', () => fc.assert(fc.asyncProperty(sizes, async (by) => {
    const { pieces, downLine } = await toOlderRows(new BodyPieces(cut(rows.join('\n'), by)), 'application/x-ndjson', down);
    expect((await textOf(pieces)).split('\n')).toEqual([
      '{"title":"Ä","image":{"url":"https://e.org/a","width":3}}', '', 'null', 'no json', '[1]', '{"title":"C","image":{"height":4}}',
    ]);
    const refusal = JSON.parse(downLine('{"row":3,"code":"document_invalid","errors":[{"at":"","in":"body","detail":"odd"}]}', 1) ?? '{}');
    expect(refusal).toMatchObject({ row: 3, code: 'document_invalid', errors: [{ at: '/image', detail: 'unknown field' }] });
    const told = '{"row":9,"code":"x","detail":"/image/url: odd","errors":[{"at":"/image/url","in":"body","detail":""}]}';
    const other = JSON.parse(downLine(told, 2) ?? '');
    expect(other).toMatchObject({ detail: '/thumbnail: odd', errors: [{ at: '/thumbnail' }] });
    expect(downLine('{"summary":{"imported":1}}', 3)).toBeUndefined();
  }), { numRuns: 50 }));

  test('that no schema takes go on as they came: an infinity is no null, and no depth ends the import', async () => {
    const depth = 50_000;
    const text = `{"title":"A","year":1e999}\n{"title":${'['.repeat(depth)}${']'.repeat(depth)}}\n{"title":"B","thumbnail_width":1}`;
    const { pieces } = await toOlderRows(new BodyPieces(cut(text, [4_096])), 'application/x-ndjson', down);
    expect(await textOf(pieces)).toBe(text.replace('"thumbnail_width":1', '"image":{"width":1}'));
  });

  test('of the longest that the origin takes are translated as any other', async () => {
    const row = (bytes: number) => `{"image":{},"title":"${'x'.repeat(bytes - '{"image":{},"title":""}'.length)}"}`;
    const rows = [row(limits.importRowBytesMax), row(limits.importRowBytesMax + 2), '{"title":"B"}'];
    const { pieces } = await toOlderRows(new BodyPieces(cut(rows.join('\n'), [65_536])), 'application/x-ndjson', down);
    expect((await textOf(pieces)).split('\n')).toEqual(['null', ...rows.slice(1)]);
  });

  test('as CSV have the columns of v1, and no others', async () => {
    const csv = (text: string, by = [7]) => toOlderRows(new BodyPieces(cut(text, by)), 'text/csv; charset=utf-8', down);
    await fc.assert(fc.asyncProperty(sizes, async (by) => {
      const { pieces } = await csv('\ufefftitle,"thumbnail",thumbnail_width\r\n"a,\nthumbnail",https://e.org/a,3\r\n', by);
      expect(await textOf(pieces)).toBe('\ufefftitle,"image.url","image.width"\r\n"a,\nthumbnail",https://e.org/a,3\r\n');
    }), { numRuns: 50 });
    const refused = await csv('title,image.url,image.width\na,b,3\n').catch((thrown: unknown) => thrown);
    expect(refused instanceof Fault ? refused.errors.map(({ at }) => at) : []).toEqual(['/image.url', '/image.width']);
  });

  test('break off where their sender does, and part of a row is none', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"title":"A"}\n{"title":"B"}'));
      },
      pull: (controller) => controller.error(new Error('gone')),
    });
    const { pieces } = await toOlderRows(new BodyPieces(broken), 'application/x-ndjson', down);
    expect(new TextDecoder().decode(await pieces.next())).toBe('{"title":"A"}\n');
    expect(await pieces.next().catch(() => 'broken off')).toBe('broken off');
  });
});

test('events of a feed carry documents of v1, and all else byte for byte', () => fc.assert(fc.asyncProperty(sizes, async (by) => {
  const told = ['retry: 1000', 'id: a.b', '', 'event: created', 'id: a.c', 'data: {"id":"1","image":{"url":"u","width":2}}', '',
    'event: left', 'data: {"id":"2"}', '', 'event: resync', 'data: {}', '', ''].join('\n');
  const stream = mapLines(cut(told, by), (line) => downEventLine(line, down), 1_000);
  expect(await new Response(stream).text()).toBe(told.replace('"image":{"url":"u","width":2}', '"thumbnail":"u","thumbnail_width":2'));
}), { numRuns: 50 }));

test('a line past the bound passes as it is, and the next one is translated again', async () => {
  const long = `data: {"image":{"url":"${'x'.repeat(200)}"}}`;
  const stream = mapLines(cut(`${long}\ndata: {"image":{"url":"u"}}\n`, [13]), (line) => downEventLine(line, down), 100);
  expect(await new Response(stream).text()).toBe(`${long}\ndata: {"thumbnail":"u"}\n`);
});

/** What comes in lines, in an older version: however it is cut, each line is translated by itself (SEMANTICS §19). */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { toUpload } from '../../../edge/origin-client/upload.ts';
import { BodyPieces, type Pieces } from '../../../edge/request/body-pieces.ts';
import { mapLines } from '../../../edge/versions/lines.ts';
import { downEvents, toOlderRows } from '../../../edge/versions/rows.ts';
import { readUpload } from '../../../origin/hop/upload.ts';
import { lengthUnknown } from '../../../shared/hop/upload-end.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { films } from '../../../shared/resources/films.ts';
import { served } from '../../../shared/resources/all.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { inItsTime } from '../../support/fake-time.ts';
import { randomNonce } from '../../support/scripted-origin.ts';

const [v1 = served.versions.current] = served.versions.all;
const translation = dialectOf(served, { operation: documents.import, resource: films }, v1)?.input;
if (translation === undefined) throw new Error('films are the same in v1');
const down = translation;

/** The text in pieces of these sizes, over and over, each so long after the one before. */
function cut(text: string, sizes: readonly number[], ms = 0): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    async pull(controller) {
      if (ms > 0) await new Promise((resolve) => void setTimeout(resolve, ms));
      if (at >= bytes.length) return controller.close();
      const size = sizes[turn++ % sizes.length] ?? 1;
      controller.enqueue(bytes.slice(at, at + size));
      at += size;
    },
  }, { highWaterMark: 0 });
}

async function textOf(pieces: Pieces): Promise<string> {
  const parts: Uint8Array[] = [];
  for (let piece = await pieces.next(); piece !== undefined; piece = await pieces.next()) parts.push(piece);
  return Buffer.concat(parts).toString();
}

const ndjson = { mediaType: 'application/x-ndjson', length: null };
const asCsv = { mediaType: 'text/csv; charset=utf-8', length: null };

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

describe('rows of an import in v1', () => {
  const rows = [
    '{"title":"Ä","thumbnail":"https://e.org/a","thumbnail_width":3}', '', '{"title":"B","image":{"url":"x"}}', 'no json', '[1]',
    '{"title":"C","thumbnail_height":4}',
  ];

  test('are those of the current version line by line, however they are cut', () => fc.assert(fc.asyncProperty(sizes, async (by) => {
    const { pieces, downLine } = await toOlderRows(new BodyPieces(cut(rows.join('\n'), by)), ndjson, down);
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
    const { pieces } = await toOlderRows(new BodyPieces(cut(text, [4_096])), ndjson, down);
    expect(await textOf(pieces)).toBe(text.replace('"thumbnail_width":1', '"image":{"width":1}'));
  });

  test('of the longest that the origin takes are translated as any other', async () => {
    const row = (bytes: number) => `{"image":{},"title":"${'x'.repeat(bytes - '{"image":{},"title":""}'.length)}"}`;
    const rows = [row(limits.importRowBytesMax), row(limits.importRowBytesMax + 2), '{"title":"B"}'];
    const { pieces } = await toOlderRows(new BodyPieces(cut(rows.join('\n'), [65_536])), ndjson, down);
    expect((await textOf(pieces)).split('\n')).toEqual(['null', ...rows.slice(1)]);
  });

  test('as CSV have the columns of v1, and no others', async () => {
    const csv = (text: string, by = [7]) => toOlderRows(new BodyPieces(cut(text, by)), asCsv, down);
    await fc.assert(fc.asyncProperty(sizes, async (by) => {
      const { pieces } = await csv('\ufefftitle,"thumbnail",thumbnail_width\r\n"a,\nthumbnail",https://e.org/a,3\r\n', by);
      expect(await textOf(pieces)).toBe('\ufefftitle,"image.url","image.width"\r\n"a,\nthumbnail",https://e.org/a,3\r\n');
    }), { numRuns: 50 });
    const refused = await csv('title,image.url,image.width\na,b,3\n').catch((thrown: unknown) => thrown);
    expect(refused instanceof Fault ? refused.errors.map(({ at }) => at) : []).toEqual(['/image.url', '/image.width']);
  });

  test('as CSV begin behind empty lines, and are told by their header in time', async () => {
    const { pieces } = await toOlderRows(new BodyPieces(cut('\ufeff\r\n\nthumbnail,title\nu,A\n', [1])), asCsv, down);
    expect(await textOf(pieces)).toBe('\ufeff\r\n\n"image.url",title\nu,A\n');
    const broken = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(new Error('gone')) });
    await expect(toOlderRows(new BodyPieces(broken), asCsv, down)).rejects.toMatchObject({ reason: 'body_malformed' });
    const silent = () => toOlderRows(new BodyPieces(new ReadableStream()), asCsv, down);
    await expect(inItsTime(silent, 50)).rejects.toMatchObject({ reason: 'body_late' });
  });

  test.each([ndjson, asCsv])('are as long as their sender declared, or not whole: $mediaType', async ({ mediaType }) => {
    const text = 'title,thumbnail\nA,u\nB,u\n';
    const read = async (length: number) => {
      const { pieces } = await toOlderRows(new BodyPieces(cut(text, [5])), { mediaType, length: String(length) }, down);
      return textOf(pieces);
    };
    expect(await read(text.length)).toEndWith('B,u\n');
    for (const length of [text.length - 1, text.length + 1]) await expect(read(length)).rejects.toThrow(/not as long|broke off/);
  });

  test('that are long may come as slowly as an import may, and no slower', async () => {
    const row = `{"title":"${'x'.repeat(30_000)}","thumbnail":"u"}\n`;
    const sent = (bytesPerSecond: number) => inItsTime(async () => {
      const slow = new BodyPieces(cut(row, [bytesPerSecond], 1_000));
      const { pieces } = await toOlderRows(slow, { ...ndjson, length: String(row.length) }, down);
      const nonce = randomNonce();
      const chunks = await Array.fromAsync(readUpload(toUpload(pieces, nonce, 1_000_000), { nonce, length: lengthUnknown }, 1_000_000));
      return Buffer.concat(chunks).toString();
    }, 50);
    const arrived = await sent(limits.importBytesPerSecondMin + 10);
    expect(arrived.trimStart()).toBe(row.replace('"thumbnail":"u"', '"image":{"url":"u"}'));
    expect(arrived.length).toBeLessThan(2.1 * row.length);
    await expect(sent(limits.importBytesPerSecondMin / 2)).rejects.toMatchObject({ reason: 'body_late' });
  });

  test('take the memory of one row, however small the pieces are in which it comes', async () => {
    const row = `{"title":"${'x'.repeat(500_000)}"}\n`;
    const heap = () => (Bun.gc(true), process.memoryUsage().heapUsed);
    let [left, most] = [row.length, 0];
    const before = heap();
    const { pieces } = await toOlderRows({
      isCancelled: false, cancel: async () => undefined,
      async next() {
        if (left % 100_000 === 0) most = Math.max(most, heap() - before);
        return left-- > 0 ? new TextEncoder().encode(row[row.length - left - 1]) : undefined;
      },
    }, ndjson, down);
    expect((await textOf(pieces)).trim()).toBe(row.trim());
    expect(most).toBeLessThan(3_000_000);
  });

  test('break off where their sender does, and part of a row is none', async () => {
    const broken = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('{"title":"A"}\n{"title":"B"}'));
      },
      pull: (controller) => controller.error(new Error('gone')),
    });
    const { pieces } = await toOlderRows(new BodyPieces(broken), ndjson, down);
    expect(new TextDecoder().decode(await pieces.next())).toBe('{"title":"A"}\n');
    expect(await pieces.next().catch(() => 'broken off')).toBe('broken off');
  });
});

test('events of a feed carry documents of v1, and all else byte for byte', () => fc.assert(fc.asyncProperty(sizes, async (by) => {
  const told = ['retry: 1000', 'id: a.b', '', 'event: created', 'id: a.c', 'data: {"id":"1","image":{"url":"u","width":2}}', '',
    'event: left', 'data: {"id":"2"}', '', 'event: resync', 'data: {}', '', ''].join('\n');
  const stream = mapLines(cut(told, by), downEvents(down), 1_000);
  expect(await new Response(stream).text()).toBe(told.replace('"image":{"url":"u","width":2}', '"thumbnail":"u","thumbnail_width":2'));
}), { numRuns: 50 }));

test('a line past the bound passes as it is, and the next one is translated again', async () => {
  const long = `event: created\ndata: {"image":{"url":"${'x'.repeat(200)}"}}`;
  const stream = mapLines(cut(`${long}\ndata: {"image":{"url":"u"}}\n`, [13]), downEvents(down), 100);
  expect(await new Response(stream).text()).toBe(`${long}\ndata: {"thumbnail":"u"}\n`);
});

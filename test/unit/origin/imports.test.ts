/** What an import tells, whom it lets in beside others, and how rows are refused. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { openCompute } from '../../../origin/compute/open.ts';
import { readCsv } from '../../../origin/import/csv.ts';
import { readNdjson } from '../../../origin/import/ndjson.ts';
import type { ParsedRow } from '../../../origin/import/row.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline, type PipelineAnswer } from '../../support/pipeline.ts';
import { engines } from '../../support/whole-world.ts';

const things = resource({
  name: 'things', id: { kind: 'string', format: z.string() }, schema: z.object({ title: z.string(), free: z.unknown().optional() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

interface Summary {
  readonly imported: number;
  readonly complete: boolean;
  readonly position?: string;
}

function linesOf({ text }: PipelineAnswer): { summary: Summary; rejected: { row: number; code: string; detail: string }[] } {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { summary?: Summary; row: number; code: string; detail: string });
  const summary = lines.pop()?.summary;
  if (summary === undefined) throw new Error(`no summary in ${text}`);
  return { summary, rejected: lines };
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Sends what it is given and stays open until it is told to break off. */
function held(text: string): { stream: ReadableStream<Uint8Array>; breakOff: () => void } {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const stream = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given, given.enqueue(bytes(text))) });
  return { stream, breakOff: () => controller?.error(new Error('gone')) };
}

describe('rows that come in one chunk', () => {
  const rows = 3 * limits.importBatchRows + 1;
  const reading = { resource: things, onDuplicate: 'reject' } as const;
  async function* chunk(text: string): AsyncGenerator<Uint8Array> {
    yield bytes(text);
  }
  /** Of each piece the numbers of its rows, in their order. */
  async function piecesOf(read: AsyncIterable<readonly ParsedRow[]>): Promise<readonly (readonly number[])[]> {
    const pieces = await Array.fromAsync(read);
    return pieces.map((piece) => piece.map(({ number }) => number));
  }
  const inOrder = Array.from({ length: rows }, (_, row) => row + 1);

  test('are read in pieces of what is committed together: NDJSON', async () => {
    const pieces = await piecesOf(readNdjson(chunk('{"id":"a","title":"A"}\n'.repeat(rows)), reading));
    expect(pieces.map(({ length }) => length)).toEqual([...Array<number>(3).fill(limits.importBatchRows), 1]);
    expect(pieces.flat()).toEqual(inOrder);
  });

  test('are read in pieces of what is committed together: CSV, with what its module rejects where it stood', async () => {
    const pool = await openCompute();
    const lines = inOrder.map((row) => (row % 3 === 0 ? 'ragged' : `a${row},A`));
    const pieces = await piecesOf(readCsv(pool, chunk(`id,title\n${lines.join('\n')}`), reading, AbortSignal.timeout(60_000)));
    await pool.close();
    expect(Math.max(...pieces.map((piece) => piece.filter((row) => row % 3 !== 0).length))).toBe(limits.importBatchRows);
    for (const [index, piece] of pieces.entries()) {
      expect(piece.every((row) => row > (pieces[index - 1]?.at(-1) ?? 0)), `piece ${index} begins behind the one before`).toBe(true);
    }
    expect(pieces.flat().toSorted((a, b) => a - b)).toEqual(inOrder);
  });
});

describe.each([...engines])('an import on %s', (engine) => {
  let origin: Pipeline;
  beforeAll(async () => void (origin = await Pipeline.on(engine, contract(things))));
  afterAll(() => origin[Symbol.asyncDispose]());

  const importText = (body: string, query = '') => origin.ask(`/v1/things/import${query}`, { method: 'POST', body });

  test('that ends at once carries the position of its last commit in header and summary, as other writes do', async () => {
    const answer = await importText('{"id":"p1","title":"One"}\n{"id":"p2","title":"Two"}\n');
    const { summary } = linesOf(answer);
    expect(summary).toMatchObject({ imported: 2, complete: true });
    expect(summary.position).toBe(answer.headers.get('tombolo-position') ?? 'absent');
    const put = await origin.ask('/v1/things/p3', { method: 'PUT', body: '{"title":"Three"}' });
    expect(put.headers.get('tombolo-position')?.split('.').length).toBe(summary.position?.split('.').length ?? 0);
  });

  test.each([[2 * limits.importBatchRows + 1, 'string'], [limits.importHeadRowsMax + limits.importBatchRows, 'absent']] as const)(
    'of %d rows that ends at once has it in its header: %s',
    async (rows, expected) => {
      const answer = await importText(Array.from({ length: rows }, (_, row) => `{"id":"h${rows}-${row}","title":"Many"}`).join('\n'));
      const { summary } = linesOf(answer);
      expect(summary).toMatchObject({ imported: rows, complete: true, position: expect.any(String) });
      const told = answer.headers.get('tombolo-position');
      expect(told === null ? 'absent' : typeof told).toBe(expected);
    },
  );

  test('that writes nothing has no position', async () => {
    await importText('{"id":"q2","title":"There"}');
    const answer = await importText('{"id":"q1"}\n{"id":"q2","title":"Again"}\n');
    expect(linesOf(answer).summary.position).toBeUndefined();
    expect(answer.headers.get('tombolo-position')).toBeNull();
  });

  test('of one caller leaves room for others: past the share it is 429 with Retry-After, and a place given back is free', async () => {
    const uploads = Array.from({ length: limits.importsPerCallerMax }, () => held(''));
    const asked = uploads.map(({ stream }) => origin.ask('/v1/things/import', { method: 'POST', stream, subject: 'greedy' }));
    const next = () => origin.ask('/v1/things/import', { method: 'POST', body: '', subject: 'greedy' });
    await eventually('the share to be taken', async () => (await next()).status === 429);
    const refused = await next();
    expect([refused.status, refused.json['code'], Number(refused.headers.get('retry-after')) > 0]).toEqual([429, 'limit_exceeded', true]);
    expect((await importText('{"id":"r1","title":"Other"}')).status).toBe(200);
    for (const { breakOff } of uploads) breakOff();
    await Promise.all(asked);
    expect((await next()).status).toBe(200);
    expect(origin.log.filter(({ level }) => ['warn', 'error', 'fatal'].includes(String(level)))).toEqual([]);
  });

  test('that is rejected row by row lets others go first between pieces', async () => {
    const rows = 10_000;
    let [turns, isOver] = [0, false];
    const count = (): unknown => (turns++, isOver || setImmediate(count));
    count();
    const { summary } = linesOf(await importText('{}\n'.repeat(rows)));
    isOver = true;
    expect(summary).toMatchObject({ imported: 0, rejected: rows, complete: true });
    expect(turns).toBeGreaterThan(rows / limits.importBatchRows);
  });

  test('tells of each row what is wrong with it', async () => {
    const deep = '['.repeat(2_000) + ']'.repeat(2_000);
    const rows = [
      `{"id":"s1","title":"Deep","free":${deep}}`,
      '{"id":"s2","title":"\\ud800"}',
      '{"id":"s3","title":"Huge","free":1e999}',
      'no',
      '\ufeff{"id":"s4","title":"Marked"}',
      '{"id":"s5","title":"Good"}',
    ];
    const { summary, rejected } = linesOf(await importText(rows.join('\n')));
    expect(summary).toMatchObject({ imported: 1, complete: true });
    expect(rejected.map(({ row, code, detail }) => [row, code, detail])).toEqual([
      [1, 'document_invalid', `/free: more than ${limits.nestingLevelsMax} levels of nesting`],
      [2, 'document_invalid', '/title: is text that is not Unicode (a lone surrogate)'],
      [3, 'document_invalid', '/free: is a number past what JSON can carry here'],
      [4, 'body_malformed', 'the row is not JSON'],
      [5, 'body_malformed', 'the row is not JSON'],
    ]);
  });
});

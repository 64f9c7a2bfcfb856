/** Imports that end before their end: by every way of sending, every way of failing, in both formats, nothing of the cut row is kept. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../../support/eventually.ts';
import type { ImportSummary } from '../../support/film.ts';
import { type Stack, startWorld, type World, worldsOfBoth } from '../../support/whole-world.ts';
import { type Ending, endings, readMs, sendCut, sendings } from './raw-upload.ts';

interface Format {
  readonly type: string;
  /** The lines before the first row. */
  readonly head: string;
  row(zip: string): string;
  /** A row of which the last bytes are missing; what is there would be a row of its own. */
  cut(zip: string): string;
}

const formats: Readonly<Record<string, Format>> = {
  CSV: {
    type: 'text/csv', head: 'zip_code,latitude,longitude,city,state,county\n',
    row: (zip) => `${zip},40.9,-72.6,Holtsville,NY,Suffolk\n`,
    cut: (zip) => `${zip},40.9,-72.6,Holtsville,NY,Suff`,
  },
  NDJSON: {
    type: 'application/x-ndjson', head: '',
    row: (zip) => `{"zip_code":"${zip}","latitude":40.9,"longitude":-72.6,"city":"Holtsville","state":"NY","county":"Suffolk"}\n`,
    cut: (zip) => `{"zip_code":"${zip}","latitude":40.9,"longitude":-72.6,"city":"Holtsville","state":"NY","county":"Suffolk"}`,
  },
};

/** Two batches and some, and a few lines that come in one piece. */
const lengths = [450, 3] as const;
/** The imports begun: each has codes of its own, `00000` and up. */
let begun = 0;
const zips = (rows: number): string[] => {
  const first = begun;
  begun += 1_000;
  return Array.from({ length: rows }, (_, index) => String(first + index).padStart(5, '0'));
};

/** Bun, which is one process's own server, closes a connection that its client half closed, and answers bad framing itself. */
const isTold = (ending: Ending, stack: Stack): boolean => stack === 'workerd' && (ending === 'half close' || ending === 'wrong chunk');

interface StoppedSummary extends ImportSummary {
  readonly stopped?: { readonly code: string };
}

function summaryOf(body: string): StoppedSummary {
  const line = /\{"summary":.*\}/.exec(body)?.[0];
  if (line === undefined) throw new Error(`no summary in ${body}`);
  return (JSON.parse(line) as { summary: StoppedSummary }).summary;
}

describe.each(worldsOfBoth)('an upload that ends early, on %s in %s', (engine, stack) => {
  let world: World;
  const edgeLog: string[] = [];
  beforeAll(async () => void (world = await startWorld({ engine, stack, logLevel: 'debug', onEdgeLog: (line) => edgeLog.push(line) })));
  afterAll(() => world.close());

  const isThere = async (zip: string): Promise<boolean> =>
    (await world.request(`/v2/places/${zip}`, { headers: { 'cache-control': 'no-cache' } })).status === 200;

  for (const [name, format] of Object.entries(formats))
    for (const sending of sendings)
      for (const ending of endings.filter((one) => sending === 'chunks' || one !== 'wrong chunk'))
        test.each([...lengths])(`${name} by ${sending}, ${ending}, after %d rows: no part of the last row is kept`, async (rows) => {
          const [last = '', ...whole] = zips(rows + 1).reverse();
          whole.reverse();
          const said = world.origin.output.length;
          const saidByEdge = edgeLog.length;
          // An import costs much of a plan, so each has a caller of its own.
          const token = await world.token({ subject: `uploader ${last}` });
          const answer = await sendCut(world.edge.url, {
            target: '/v2/places/import', sending, ending, headers: [`Authorization: Bearer ${token}`, `Content-Type: ${format.type}`],
            body: format.head + whole.map(format.row).join('') + format.cut(last),
          });
          if (isTold(ending, stack)) await mustBeTold(answer, whole);
          // No client is left to be told: the origin's log says when it is over.
          else await eventually('the end of the import', () => /import stopped|request refused/.test(world.origin.output.slice(said)));
          expect(await isThere(last)).toBe(false);
          expect(world.origin.output.slice(said)).not.toMatch(/"level":"(warn|error|fatal)"/);
          expect(edgeLog.slice(saidByEdge).filter((line) => line.includes('"level":"error"'))).toEqual([]);
        });

  for (const sending of sendings)
    test.each(endings.filter((one) => sending === 'chunks' || one !== 'wrong chunk'))(
      `NDJSON in an older version by ${sending}, %s: no part of the last row is kept`, async (ending) => {
        const name = `Older ${sending} ${ending}`;
        const row = (title: string) => `{"title":"${title}","year":1950,"thumbnail":"https://example.org/a.jpg"}`;
        const said = world.origin.output.length;
        const token = await world.token({ subject: `uploader ${name}` });
        const answer = await sendCut(world.edge.url, {
          target: '/v1/films/import', sending, ending, headers: [`Authorization: Bearer ${token}`, 'Content-Type: application/x-ndjson'],
          body: `${row(name)}\n`.repeat(250) + row(`${name} last`),
        });
        if (isTold(ending, stack) && answer.status === 200) expect(summaryOf(answer.body)).toMatchObject({ complete: false });
        await eventually('the end of the import', () => /import stopped|request refused/.test(world.origin.output.slice(said)));
        const headers = { 'cache-control': 'no-store' };
        const found = await world.request(`/v2/films?title=${encodeURIComponent(`${name} last`)}`, { headers });
        expect(found.json<{ data: unknown[] }>().data).toEqual([]);
      });

  test.each(Object.entries(formats))('%s whose client fails while it sends: no part of the last row is kept', async (_, format) => {
    const [last = '', ...whole] = zips(451);
    const said = world.origin.output.length;
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode(format.head + whole.map(format.row).join('') + format.cut(last)));
        await Bun.sleep(readMs);
        controller.error(new Error('the disk of the client failed'));
      },
    }, { highWaterMark: 0 });
    await world
      .request('/v2/places/import', {
        token: await world.token({ subject: `uploader ${last}` }),
        headers: { 'content-type': format.type },
        body,
      })
      .catch(() => undefined);
    await eventually('the end of the import', () => /import stopped|request refused/.test(world.origin.output.slice(said)));
    expect(await isThere(last)).toBe(false);
  });

  async function mustBeTold(answer: { readonly status: number; readonly body: string }, whole: readonly string[]): Promise<void> {
    // A 400 refuses the whole, before a row was read.
    if (answer.status === 400) {
      expect(answer.body).toContain('"code":"body_malformed"');
      return expect(await isThere(whole[0] ?? '')).toBe(false);
    }
    expect(answer.status).toBe(200);
    const { complete, imported, lastCommittedRow, stopped } = summaryOf(answer.body);
    expect([complete, stopped?.code, imported]).toEqual([false, 'body_malformed', lastCommittedRow]);
    for (const at of [0, imported - 1, imported, whole.length - 1]) {
      expect([at, await isThere(whole[at] ?? '')]).toEqual([at, at >= 0 && at < imported]);
    }
  }
});

describe('an upload past its bound', () => {
  const bytesMax = 65_536;
  let world: World;
  beforeAll(
    async () => void (world = await startWorld({ engine: 'sqlite', workerModule: 'test/workerd/workers/small-imports.worker.ts' })),
  );
  afterAll(() => world.close());

  /** A body without a length: what comes later is not known when the head is sent. */
  const inChunks = (text: string) => new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(1);
      controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  }, { highWaterMark: 0 });

  test.each(Object.entries(formats))('%s in chunks stops there, and says so', async (_, format) => {
    const rows = zips(900).map(format.row);
    const text = format.head + rows.join('') + rows.join('');
    expect(text.length).toBeGreaterThan(bytesMax);
    const answer = await world.request('/v2/places/import', {
      token: await world.token(),
      headers: { 'content-type': format.type },
      body: inChunks(text),
    });
    const { complete, stopped, lastCommittedRow } = summaryOf(answer.text);
    expect([answer.status, complete, stopped?.code]).toEqual([200, false, 'body_too_large']);
    // The rows that were whole before it, in batches, and no other.
    expect(lastCommittedRow % 200).toBe(0);
    expect(lastCommittedRow).toBeGreaterThan(0);
  });

  test('with its length declared is refused before anything is read', async () => {
    const answer = await world.request('/v2/places/import', {
      token: await world.token(),
      headers: { 'content-type': 'text/csv' },
      body: 'x'.repeat(bytesMax + 1),
    });
    expect([answer.status, answer.json<{ code: string }>().code]).toEqual([413, 'body_too_large']);
  });

  test('and one that reaches it is whole', async () => {
    const row = formats['NDJSON']?.row('99999') ?? '';
    const answer = await world.request('/v2/places/import', {
      token: await world.token(),
      headers: { 'content-type': 'application/x-ndjson' },
      body: inChunks(`${'\n'.repeat(bytesMax - row.length)}${row}`),
    });
    expect(summaryOf(answer.text)).toMatchObject({ imported: 1, complete: true });
  });
});

/** Imports that end before their end: by every way of sending, every way of failing, in both formats, nothing of the cut row is kept. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import type { ImportSummary } from '../support/film.ts';
import { engines, startWorld, type World } from '../support/whole-world.ts';
import { type Ending, endings, sendCut, sendings } from './raw-upload.ts';

interface Format {
  readonly type: string;
  /** Before the first row. */
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
/** Each import has codes of its own, `00000` and up. */
let begun = 0;
const zips = (rows: number): string[] => {
  const first = begun;
  begun += 1_000;
  return Array.from({ length: rows }, (_, index) => String(first + index).padStart(5, '0'));
};

const isTold = (ending: Ending): boolean => ending === 'half close' || ending === 'wrong chunk';

interface StoppedSummary extends ImportSummary {
  readonly stopped?: { readonly code: string };
}

function summaryOf(body: string): StoppedSummary {
  const line = /\{"summary":.*\}/.exec(body)?.[0];
  if (line === undefined) throw new Error(`no summary in ${body}`);
  return (JSON.parse(line) as { summary: StoppedSummary }).summary;
}

describe.each([...engines])('an upload that ends early, on %s', (engine) => {
  let world: World;
  let token: string;
  beforeAll(async () => {
    world = await startWorld({ engine });
    token = await world.token();
  });
  afterAll(() => world.close());

  const isThere = async (zip: string): Promise<boolean> => (await world.request(`/v1/places/${zip}`, { headers: { 'cache-control': 'no-cache' } })).status === 200;

  for (const [name, format] of Object.entries(formats))
    for (const sending of sendings)
      for (const ending of endings.filter((one) => sending === 'chunks' || one !== 'wrong chunk'))
        test.each([...lengths])(`${name} by ${sending}, ${ending}, after %d rows: no part of the last row is kept`, async (rows) => {
          const [last = '', ...whole] = zips(rows + 1).reverse();
          whole.reverse();
          const said = world.origin.output.length;
          const answer = await sendCut(world.edge.url, {
            target: '/v1/places/import', sending, ending, headers: [`Authorization: Bearer ${token}`, `Content-Type: ${format.type}`],
            body: format.head + whole.map(format.row).join('') + format.cut(last),
          });
          if (isTold(ending)) await mustBeTold(answer, whole);
          // Nobody is left to be told: the origin's log says when it is over.
          else await eventually('the end of the import', () => /import stopped|request refused|"level":\d/.test(world.origin.output.slice(said)), { msMax: 3_000 }).catch(() => undefined);
          expect(await isThere(last)).toBe(false);
          expect(world.origin.output.slice(said)).not.toMatch(/"level":[56]0/);
        });

  async function mustBeTold(answer: { readonly status: number; readonly body: string }, whole: readonly string[]): Promise<void> {
    // Refused as a whole, before a row was read.
    if (answer.status === 400) {
      expect(answer.body).toContain('"code":"body_malformed"');
      return expect(await isThere(whole[0] ?? '')).toBe(false);
    }
    expect(answer.status).toBe(200);
    const { complete, imported, lastCommittedRow, stopped } = summaryOf(answer.body);
    expect([complete, stopped?.code, imported]).toEqual([false, 'body_malformed', lastCommittedRow]);
    for (const at of [0, imported - 1, imported, whole.length - 1]) expect([at, await isThere(whole[at] ?? '')]).toEqual([at, at >= 0 && at < imported]);
  }
});

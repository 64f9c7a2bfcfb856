import { describe, expect, test } from 'bun:test';
import { limits } from '../../../shared/wire/limits.ts';
import { places } from '../../../shared/resources/places.ts';
import { readNdjson } from '../../../origin/import/ndjson.ts';
import type { ParsedRow } from '../../../origin/import/row.ts';

const row = (id: string) =>
  JSON.stringify({ zip_code: id, latitude: 40.9, longitude: -72.6, city: 'Hólt𝄞ville', state: 'NY', county: 'Suffolk' });

async function read(chunks: readonly Uint8Array[]): Promise<ParsedRow[]> {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
  return (await Array.fromAsync(readNdjson(stream, { resource: places, onDuplicate: 'reject' }))).flat();
}

describe('rows of an import', () => {
  test('are the same wherever the chunks are cut, also inside a character', async () => {
    const bytes = new TextEncoder().encode(`${row('00501')}\r\n\n{"bad":1}\nnot json\n${row('00544')}`);
    const whole = await read([bytes]);
    expect(whole.map((one) => [one.number, one.kind])).toEqual([[1, 'row'], [3, 'rejected'], [4, 'rejected'], [5, 'row']]);
    for (let cut = 1; cut < bytes.length; cut++) expect(await read([bytes.slice(0, cut), bytes.slice(cut)])).toEqual(whole);
  });

  test('take the id from the declared column and keep its leading zeros', async () => {
    const [only] = await read([new TextEncoder().encode(row('00501'))]);
    expect(only).toMatchObject({ kind: 'row', id: '00501', body: { city: 'Hólt𝄞ville' } });
    expect(only?.kind === 'row' && 'zip_code' in only.body).toBe(false);
  });

  test('name the field that is wrong', async () => {
    const [only] = await read([new TextEncoder().encode(row('501'))]);
    expect(only?.kind === 'rejected' && only.fault.errors[0]?.at).toBe('/zip_code');
  });

  test('that are not UTF-8 are rejected alone', async () => {
    const rows = await read([Uint8Array.of(0x22, 0xff, 0x22, 0x0a), new TextEncoder().encode(row('00544'))]);
    expect(rows.map((one) => one.kind)).toEqual(['rejected', 'row']);
  });

  test('longer than the bound are rejected one by one, and those behind them are read', async () => {
    const long = new TextEncoder().encode(`"${'x'.repeat(limits.importRowBytesMax)}`);
    const rows = await read([long, long, new TextEncoder().encode(`\n${row('00544')}\n`)]);
    expect(rows.map((one) => [one.number, one.kind])).toEqual([[1, 'rejected'], [2, 'row']]);
  });

  test('of an export that ends early are no whole upload, unless what resumed it follows', async () => {
    const marked = (...marks: readonly object[]) =>
      read([new TextEncoder().encode(marks.map(($export) => `${row('00501')}\n${JSON.stringify({ $export })}\n`).join(''))]);
    const soFar = { rows: 1, next: 'x' };
    const [broken, whole] = [{ ...soFar, complete: false }, { rows: 1, next: null, complete: true }];
    for (const marks of [[whole], [soFar, whole], [broken, whole]]) expect(await marked(...marks)).toHaveLength(marks.length);
    for (const marks of [[soFar], [broken], [whole, broken]]) {
      const detail = expect.stringContaining('ends early') as unknown;
      expect(await marked(...marks).catch((thrown: unknown) => thrown)).toMatchObject({ reason: 'body_malformed', detail });
    }
  });

  test('are as long without the spaces in front of them', async () => {
    const padded = (count: number) => new TextEncoder().encode(' '.repeat(count));
    const rows = await read([padded(limits.importRowBytesMax), padded(9), new TextEncoder().encode(`${row('00501')}\n`), padded(7)]);
    expect(rows.map((one) => [one.number, one.kind])).toEqual([[1, 'row']]);
  });
});

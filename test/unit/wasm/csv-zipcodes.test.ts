import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { referenceCsv } from './csv-reference.ts';
import { cutAt, runCsv } from './csv-run.ts';
import { randomCuts } from './csv-vectors.ts';
import { hasZipcodes, instance, zipcodesFile, zipcodesPlan } from './module.ts';

const header = zipcodesPlan.columns.map(({ source }) => source);
const name = hasZipcodes
  ? 'all 42 049 postal codes convert exactly, leading zeros kept'
  : 'all 42 049 postal codes convert exactly (left out: zipcodes.csv is not beside the project)';

test.skipIf(!hasZipcodes)(name, () => {
  const csv = readFileSync(zipcodesFile);
  const result = runCsv(instance(), zipcodesPlan, cutAt(csv, randomCuts(7, csv.byteLength)));
  expect(result).toEqual(referenceCsv(zipcodesPlan, header, csv.subarray(csv.indexOf(10) + 1)));
  expect(result.rows.length).toBe(42_049);
  expect(result.ndjson.slice(0, result.ndjson.indexOf('\n'))).toBe(
    '{"zip_code":"00501","latitude":40.922326,"longitude":-72.637078,"city":"Holtsville","state":"NY","county":"Suffolk"}',
  );
});

test('forty thousand generated rows convert exactly, over many outputs of one call', () => {
  const row = (index: number) =>
    [
      String(index).padStart(5, '0'),
      (index % 180) - 90.5,
      `-${index}e-3`,
      `"Saint ""${index}"""`,
      'é'.repeat(index % 5),
      index % 3 ? 'x\\y' : '',
    ].join(',');
  const body = new TextEncoder().encode(Array.from({ length: 40_000 }, (_, index) => `${row(index)}\r\n`).join(''));
  const input = new Uint8Array([...new TextEncoder().encode(`${header}\r\n`), ...body]);
  expect(runCsv(instance(), zipcodesPlan, [input])).toEqual(referenceCsv(zipcodesPlan, header, body));
});

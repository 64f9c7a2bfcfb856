import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { csvKinds, type CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import { referenceCsv } from './csv-reference.ts';
import { cutAt, runCsv } from './csv-run.ts';
import { column, instance } from './module.ts';

const encoder = new TextEncoder();

const noise = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom('"', ',', '\n', '\r', '\r\n', '""', '","', '"\n') },
    {
      weight: 12,
      arbitrary: fc.constantFrom('a', 'bc', '0', '12', '-', '.', 'e5', ' ', '\\', '\t', '\u0000', 'é', '日', '😀', '\ufeff', '.0'),
    },
    { weight: 2, arbitrary: fc.constantFrom('true', 'FALSE', '2024-02-29T00:00:00Z', 'x'.repeat(15), 'y'.repeat(64), '1234567890123456') },
    { weight: 1, arbitrary: fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of(0xc3), Uint8Array.of(0xe2, 0x82), Uint8Array.of(0x80)) },
  ),
  { maxLength: 60 },
);

const digits = fc.stringMatching(/^-?[0-9]{1,20}(\.[0-9]{0,20})?([eE][+-]?[0-9]{1,3})?$/);
const stamp = fc.stringMatching(
  /^(19|20)[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](\.[0-9]{0,3})?(Z|[+-][0-2][0-9]:[0-5][0-9])$/,
);
const cell = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.integer().map(String), fc.double().map(String), digits, stamp, fc.constantFrom('', 'true', 'false', 'TRUE'),
);
const written = fc
  .tuple(cell, fc.boolean())
  .map(([text, quoted]) => (quoted || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text));

const plans = fc.tuple(
  fc.array(fc.tuple(fc.constantFrom(...csvKinds), fc.boolean()), { minLength: 1, maxLength: 4 }),
  fc.integer({ min: 0, max: 1 }),
);

/** Columns of the plan, in the header backwards and with as many more in front that nobody asked for. */
function toPlan([kinds, more]: typeof plans extends fc.Arbitrary<infer T> ? T : never): { plan: CsvPlan; header: string[] } {
  const columns = kinds.map(([kind, required], index) => column(`c${index}`, kind, required));
  const extra = Array.from({ length: more }, (_, index) => `x${index}`);
  return { plan: { unknown: 'ignore', columns }, header: [...extra, ...columns.map(({ source }) => source).reverse()] };
}

function expectSame(plan: CsvPlan, header: string[], body: Uint8Array, cuts: readonly number[]): void {
  const head = encoder.encode(`${header.join(',')}\n`);
  const input = Uint8Array.from([...head, ...body]);
  const places = cuts.map((cut) => cut % (input.byteLength + 1)).sort((left, right) => left - right);
  expect(runCsv(instance(), plan, cutAt(input, places))).toEqual(referenceCsv(plan, header, body));
}

const cuts = fc.array(fc.nat(), { maxLength: 6 });

test('noise of quotes, commas and line ends comes out as from the slow reader', () => {
  const body = noise.map((parts) =>
    Uint8Array.from(parts.flatMap((part) => [...(typeof part === 'string' ? encoder.encode(part) : part)])),
  );
  fc.assert(
    fc.property(plans, body, cuts, (chosen, bytes, places) => {
      const { plan, header } = toPlan(chosen);
      expectSame(plan, header, bytes, places);
    }),
    { numRuns: 20_000 },
  );
}, 60_000);

test('well-formed rows of random cells come out as from the slow reader', () => {
  const table = plans.chain((chosen) => {
    const { plan, header } = toPlan(chosen);
    const row = fc.array(written, { minLength: header.length, maxLength: header.length });
    return fc.tuple(fc.constant({ plan, header }), fc.array(row, { maxLength: 12 }), fc.constantFrom('\n', '\r\n'));
  });
  fc.assert(
    fc.property(table, cuts, ([{ plan, header }, rows, end], places) => {
      const body = rows.map((row) => row.join(',') + end).join('');
      expectSame(plan, header, encoder.encode(body), places);
    }),
    { numRuns: 3000 },
  );
}, 60_000);

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { BSON } from 'mongodb';
import type { CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import { openBson } from '../../../shared/transforms/bson.ts';
import { CsvRefused, CsvTransform } from '../../../shared/transforms/csv.ts';
import { TransformIncompatible, TransformInstance, TransformTrapped } from '../../../shared/transforms/instance.ts';
import { column, instance, moduleFile, tombolo } from './module.ts';
import { answer, trap, withCode } from './patched-module.ts';

const plan: CsvPlan = { unknown: 'refuse', columns: [column('a'), column('b')] };
const bytes = (text: string) => new TextEncoder().encode(text);
const moduleBytes = () => new Uint8Array(readFileSync(moduleFile));

test('after a trap the instance and every stream on it refuse further use', () => {
  const trapping = new TransformInstance(withCode('push', trap, moduleBytes()));
  const [first, second] = [new CsvTransform(trapping, plan), new CsvTransform(trapping, plan)];
  expect(() => [...first.push(bytes('a,b\n'))]).toThrow(TransformTrapped);
  expect(trapping.isLive).toBe(false);
  expect(() => [...second.finish()]).toThrow(/trapped earlier; its instance is thrown away/);
  expect(() => new CsvTransform(trapping, plan)).toThrow(TransformTrapped);
  first.close();
});

test('a trap in one instance leaves another one of the same module alone', () => {
  const module = withCode('finish', trap, moduleBytes());
  const [broken, whole] = [new TransformInstance(module), new TransformInstance(module)];
  expect(() => [...new CsvTransform(broken, plan).finish()]).toThrow(TransformTrapped);
  const batches = [...new CsvTransform(whole, plan).push(bytes('a,b\n1,2\n'))];
  expect(batches.map(({ rows }) => [...rows])).toEqual([[1]]);
});

test('a module of another ABI version, or of another kind, is refused before it is used', () => {
  expect(() => new TransformInstance(withCode('abi_version', answer(2), moduleBytes()))).toThrow(/speaks ABI 2, this host 1/);
  const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  expect(() => new TransformInstance(empty)).toThrow(TransformIncompatible);
});

test('output that was not read to its end is not lost in silence', () => {
  const csv = new CsvTransform(instance(), plan);
  const batches = csv.push(bytes(`a,b\n${'x\n'.repeat(10_000)}`));
  expect(batches.next().value?.rejected.length).toBeGreaterThan(0);
  expect(() => [...csv.push(bytes('1,2\n'))]).toThrow(/not read to its end/);
  csv.close();
  expect(() => [...csv.finish()]).toThrow(/has ended/);
});

test('contexts come back when streams end, are refused or are closed', () => {
  const one = new TransformInstance(tombolo());
  for (let round = 0; round < 40; round += 1) {
    new CsvTransform(one, plan).close();
    expect(() => [...new CsvTransform(one, plan).push(bytes('x\n'))]).toThrow(CsvRefused);
    expect(() => new CsvTransform(one, { unknown: 'refuse', columns: [] })).toThrow(CsvRefused);
    const csv = new CsvTransform(one, plan);
    expect([...csv.push(bytes('a,b\n1,2')), ...csv.finish()].length).toBe(1);
  }
});

test('the module imports nothing and its memory has a maximum', () => {
  expect(WebAssembly.Module.imports(tombolo())).toEqual([]);
  const { memory } = new WebAssembly.Instance(tombolo(), {}).exports;
  expect(() => mustMemory(memory).grow(1024)).toThrow();
});

const mebibyte = 1 << 20;

test.each([
  ['an open quote', 'a,b\n"', 'x"",\n'],
  ['a row without an end', 'a,b\n', 'xxxxxxxx'],
  ['nothing but rejected rows', 'a,b\n', 'x\n'],
  ['nothing but commas', 'a,b\n', ','],
  ['the longest output for its bytes', 'a,b\n', ',\n'],
  ['rows that are all escapes', 'a,b\n', `${'\u0001'.repeat(250_000)},\n`],
])('memory stays small over 40 MiB of %s', (_, head, piece) => {
  const spy = new TransformInstance(tombolo());
  const csv = new CsvTransform(spy, plan);
  for (const { rejected } of csv.push(bytes(head))) expect(rejected).toEqual([]);
  const chunk = bytes(piece.repeat(Math.ceil(mebibyte / piece.length)));
  for (let round = 0; round < 40; round += 1) {
    for (const { ndjson, rejected } of csv.push(chunk)) {
      expect(ndjson.byteLength).toBeLessThan(8 * mebibyte);
      expect(rejected.length).toBeLessThanOrEqual(4096);
    }
  }
  expect([...csv.finish()].length).toBeLessThanOrEqual(1);
  expect(spy.memoryBytes).toBeLessThan(16 * mebibyte);
}, 150_000);

test('memory stays small over BSON that is as large, as many-named and as much longer in JSON as it may be', () => {
  const spy = new TransformInstance(tombolo());
  const stream = openBson(spy);
  const text = (units: number) => BSON.serialize({ _id: 1, v: '\u0001'.repeat(units) });
  const names = (count: number) =>
    BSON.serialize(
      new Map<string, unknown>([['_id', 1], ...Array.from({ length: count }, (_, index) => [index.toString(36), null] as const)]),
    );
  for (let round = 0; round < 3; round += 1)
    for (const document of [text(1_900_000), text(4_000_000), names(260_000), names(300_000), text(5_000_000), BSON.serialize({ _id: 1 })])
      for (const { bytes, rejected } of stream.push(document)) expect(bytes.byteLength + rejected.byteLength).toBeLessThan(13 * mebibyte);
  expect([...stream.finish()]).toEqual([]);
  expect(spy.memoryBytes).toBeLessThan(48 * mebibyte);
}, 150_000);

function mustMemory(value: unknown): WebAssembly.Memory {
  if (value instanceof WebAssembly.Memory) return value;
  throw new Error('no memory is exported');
}

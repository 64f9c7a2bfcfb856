import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { csvReasons } from '../../../shared/transforms/csv.ts';
import { checkVector, type VectorFile } from './csv-vectors.ts';
import { instance } from './module.ts';

const file = JSON.parse(readFileSync(new URL('../../../wasm/vectors/csv.json', import.meta.url), 'utf8')) as VectorFile;

for (const vector of file.vectors) {
  test(`CSV vector, however cut: ${vector.name}`, () => {
    expect(checkVector(instance(), file, vector)).toEqual([]);
  });
}

test('every reason to reject a row stands in a vector, so that names and numbers cannot drift apart', () => {
  const seen = new Set(file.vectors.flatMap((vector) => (vector.rejected ?? []).map(({ reason }) => reason)));
  expect([...csvReasons].filter((reason) => !seen.has(reason))).toEqual([]);
});

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { bsonReasons } from '../../../shared/transforms/bson.ts';
import { checkBsonVector, type BsonVectorFile } from './bson-vectors.ts';
import { instance } from './module.ts';

const { vectors } = JSON.parse(readFileSync(new URL('../../../wasm/vectors/bson.json', import.meta.url), 'utf8')) as BsonVectorFile;

test('every BSON vector gives the same however its input is cut', () => {
  expect(vectors.flatMap((vector) => checkBsonVector(instance(), vector))).toEqual([]);
});

test('every reason to reject a document stands in a vector or in a test of bounds, so that names and numbers cannot drift apart', () => {
  const seen = new Set(vectors.map(({ rejected }) => rejected));
  expect(bsonReasons.filter((reason) => !seen.has(reason))).toEqual(['document_too_long', 'line_too_long', 'too_deep', 'fields_too_many']);
});

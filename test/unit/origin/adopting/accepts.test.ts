/** Whatever documents are: the file that is written of them loads, and its schema takes each of them. */
import { expect, test } from 'bun:test';
import * as fc from 'fast-check';
import { Binary, BSON, BSONRegExp, Code, Decimal128, Double, Int32, Long, MinKey, ObjectId, Timestamp } from 'mongodb';
import * as z from 'zod';
import { toAdoption } from '../../../../origin/database/adopting/adoption.ts';
import { toResourceText } from '../../../../origin/database/adopting/resource-text.ts';
import type { Stored } from '../../../../origin/database/adopting/values.ts';
import { toJson } from '../../../../origin/store/mongo/read/bson-values.ts';
import { toWireNames } from '../../../../origin/store/mongo/read/member-names.ts';
import { resourceMistakes } from '../../../../shared/checks/resource-mistakes.ts';
import { opened } from '../../../../shared/contract/open-schema.ts';
import { loadResource } from '../../../support/load-resource.ts';

const id = 'aca4bbc7a2dd94ee5816238c';
/** Names that have others on the wire, and one that makes a map of what it alone stands in. */
const name = fc.constantFrom('a', 'b', 'kind', 'type', 'coordinates', '_a', 'a b', 'aB', 'id', '_id', '$a', 'a.b', '', '7', id);
const leaf = fc.oneof(
  fc.constantFrom('x', 'y', 'z', '', '2026-01-31', '01a22266-fb91-75bb-9c2a-1e341692867e', 'Point', `'"\\\n\u2028*/`),
  fc.string(),
  fc.constantFrom(new Int32(1), new Double(2), new Double(0.5), new Double(Number.NaN), new Double(1e300), new Double(-0)),
  fc.constantFrom(Long.fromNumber(1), Long.fromNumber(2 ** 53), Long.MAX_VALUE, Long.MIN_VALUE),
  fc.constantFrom('1.50', '-0', '1E+3', 'NaN', 'Infinity', '0E-6176').map((text) => Decimal128.fromString(text)),
  fc.constantFrom(new Date(0), new Date(-6.3e13), new Date(8.64e15)),
  fc.constantFrom(true, false, null),
  fc.constantFrom(new ObjectId(id), new Binary(new Uint8Array(3)), new Binary(new Uint8Array(16), 4)),
  fc.constantFrom(new BSONRegExp('a', 'i'), new Timestamp({ t: 1, i: 1 }), new MinKey(), new Code('f()')),
);
const { value } = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    leaf,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4 }),
  ),
}));

const kind = fc.dictionary(fc.constantFrom('a', 'b', 'c d', '_c', 'id', 'rev', 'kind'), value, { maxKeys: 5 });
/** Few kinds of documents, each many times, so that discriminators and enums show, and some that are like none. */
const collection = fc.tuple(
  fc.array(kind, { minLength: 1, maxLength: 5 }),
  fc.integer({ min: 1, max: 12 }),
  fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'kind'), leaf), { maxLength: 3 }),
).map(([kinds, times, others]) => [...Array.from({ length: times }, () => kinds).flat(), ...others]);

/** Over all places that documents may have, so that no shape is written that the contract refuses. */
const places = ['a', 'b', 'c d', '_c', 'id', 'rev', 'kind', 'a.a', 'a.b', 'a.b.a', 'kind._a', 'b.a b', `a.${id}`];
const indexes = places.flatMap((place, index) => [
  { v: 2, name: place, key: { [place]: 1 } },
  { v: 2, name: `${place} and more`, key: { [place]: 1, [places[(index + 5) % places.length] ?? '']: -1, _id: -1 } },
]);

test('whatever the documents of a collection are, the schema that is written of them takes each', async () => {
  await fc.assert(fc.asyncProperty(collection, async (documents) => {
    const stored = documents.map((document, index) => BSON.deserialize(
      BSON.serialize({ _id: new Int32(index), ...document }), { promoteValues: false, bsonRegExp: true },
    ) as Stored);
    const adoption = toAdoption('things', {
      collection: 'things', documents: stored, total: stored.length, reading: 'all', indexes, isCollated: false,
    });
    if (adoption === undefined) throw new Error('whole numbers are ids');
    const resource = await loadResource(toResourceText(adoption));
    expect(resourceMistakes(resource)).toEqual([]);
    const schema = opened(resource.schema);
    for (const { _id, ...fields } of stored) {
      const shown = toJson(toWireNames(resource, fields));
      const { error } = z.safeParse(schema, shown);
      if (error !== undefined) throw new Error(`${toResourceText(adoption)}\ndoes not take ${JSON.stringify(shown)}: ${error}`);
    }
  }), { numRuns: 200 });
}, 60_000);

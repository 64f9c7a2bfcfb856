/** Dates that JavaScript has none for, which other programs store in MongoDB: an order has them, and a page goes on behind one. */
import { expect, test } from 'bun:test';
import { BSON } from 'mongodb';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import { compareSortValues, ranks, type SortValue } from '../../../shared/wire/values.ts';
import { toAlternatives } from '../../../origin/store/mongo/read/keyset.ts';
import { RawRow, toRawDocument } from '../../../origin/store/mongo/read/raw-documents.ts';
import { mustCursor, mustWholeKeys, signCursor } from '../../../origin/tokens.ts';

const passes = resource({
  name: 'passes', id: { kind: 'string', format: z.string() }, schema: z.object({ of: z.object({ until: instant() }) }),
  rules: { read: anyone, write: anyone }, shapes: { byEnd: { sort: ['of.until', '-of.until'] } },
});
const keys = mustKeyRing(`one:${Buffer.alloc(32, 1).toString('base64url')}`);
const greatest = 2n ** 63n - 1n;
/** In order. */
const moments = [
  -greatest - 1n, -(10n ** 16n), -8_640_000_000_000_000n, 0n, 8_640_000_000_000_000n, 8_640_000_000_000_001n, 10n ** 16n, greatest,
];

function rowAt(ms: bigint, descending: boolean): RawRow {
  const bytes = BSON.serialize({ _id: 'a', of: { until: new Date(0) } });
  // Behind it both documents end.
  Buffer.from(bytes.buffer, bytes.byteOffset).writeBigInt64LE(ms, bytes.length - 10);
  const document = toRawDocument(passes, bytes);
  if (document === undefined) throw new Error('no document');
  return new RawRow(document, [{ field: 'of.until', descending }, { field: 'id', descending: false }]);
}

/** What is asked for behind a page that ends there: by operator, the milliseconds as the database is sent them. */
function behind(row: RawRow, descending: boolean) {
  const [key] = keys;
  const at = mustWholeKeys(mustCursor(signCursor({ keys: row.keys, backwards: false }, 'q', key), 'q', keys));
  const sort = [{ field: 'of.until', descending }, { field: 'id', descending: false }];
  const alternatives = toAlternatives({ resource: passes, sort, pinned: new Map(), interval: undefined }, at);
  return alternatives.slice(0, 2).map(([condition]) => {
    const [[operator = '', value] = []] = Object.entries(condition?.['of.until'] ?? {});
    const bytes = BSON.serialize({ value });
    return [operator, Buffer.from(bytes.buffer, bytes.byteOffset).readBigInt64LE(bytes.length - 9)];
  });
}

test.each([false, true])('a page ends at any of them and the next begins there, descending: %p', (descending) => {
  for (const ms of moments) {
    expect(behind(rowAt(ms, descending), descending)).toEqual([['$eq', ms], [descending ? '$lt' : '$gt', ms]]);
  }
});

test('they stand in the order of their moments', () => {
  const found = moments.map((ms) => rowAt(ms, false).keys[0] as SortValue);
  expect(found.toReversed().sort(compareSortValues)).toEqual(found);
});

test('the first of them is behind every value of another type', () => {
  const sort = [{ field: 'of.until', descending: false }];
  const after = [{ rank: ranks.boolean, value: 1 }];
  const alternatives = toAlternatives({ resource: passes, sort, pinned: new Map(), interval: undefined }, after);
  const bytes = BSON.serialize({ value: alternatives.at(-1)?.[0]?.['of.until']?.['$gte'] });
  expect(Buffer.from(bytes.buffer, bytes.byteOffset).readBigInt64LE(bytes.length - 9)).toBe(-greatest - 1n);
});

test('one that the driver cannot send is no end of a page, and says so', () => {
  expect(() => behind(rowAt(greatest - 1n, false), false)).toThrow(Fault);
});

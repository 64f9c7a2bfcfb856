/** The engine-neutral parts on their own. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compareUtf8, ranks } from '../../../shared/wire/values.ts';
import { any, equals } from '../../../shared/contract/rules.ts';
import { afterPrefix, contains, toInterval } from '../../../origin/store/interval.ts';
import { mergeRows } from '../../../origin/store/merge.ts';
import { toQueryPlan } from '../../../origin/store/plan.ts';
import type { ListRequest, Row } from '../../../origin/store/store.ts';
import { StoredDocument } from '../../../origin/store/stored-document.ts';
import { reasonOf } from './harness.ts';
import { open, things } from './things.ts';

const character = fc.string({ unit: 'binary', minLength: 1, maxLength: 3 });
const byId = [{ field: 'id', descending: false }] as const;
const plain: ListRequest = { equal: {}, range: undefined, sort: byId, where: true, after: undefined, limit: 10 };

describe('an interval', () => {
  test('of a prefix holds what begins with it, and nothing else', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 2 }), fc.array(character), fc.boolean(), (prefix, parts, follows) => {
      const text = follows ? prefix + parts.join('') : parts.join('');
      const interval = toInterval({ field: 'text', bounds: { prefix } }, 'string');
      expect(interval !== undefined && contains(interval, { rank: ranks.string, value: text })).toBe(text.startsWith(prefix));
    }), { numRuns: 2_000 });
  });

  test('of a prefix ends at the next string there is', () => {
    expect([
      afterPrefix('a'),
      afterPrefix('a\u{10ffff}'),
      afterPrefix('\u{d7ff}'),
      afterPrefix('\u{ffff}'),
      afterPrefix(''),
      afterPrefix('\u{10ffff}'),
    ]).toEqual(['b', 'b', '\u{e000}', '\u{10000}', undefined, undefined]);
    fc.assert(fc.property(character, (prefix) => expect(compareUtf8(prefix, afterPrefix(prefix) ?? `${prefix}x`)).toBeLessThan(0)));
  });

  test('keeps the tighter of two bounds, and one type', () => {
    expect(toInterval({ field: 'size', bounds: { gt: 1, gte: 1, lt: 9, lte: 3 } }, 'number')).toEqual({
      field: 'size',
      rank: ranks.number,
      lower: { value: { rank: ranks.number, value: 1 }, inclusive: false },
      upper: { value: { rank: ranks.number, value: 3 }, inclusive: true },
    });
    expect(toInterval({ field: 'size', bounds: { gt: 1, lt: 'a' } }, 'number')).toBeUndefined();
  });
});

describe('a plan', () => {
  test('has a branch for each way of the rule and each value, and none where they contradict', () => {
    const shared = things('plan-things', any(equals('author', 'ann'), equals('author', 'bob')));
    const where = {
      kind: 'any',
      of: [
        { kind: 'equals', field: 'author', value: 'ann' },
        { kind: 'equals', field: 'author', value: 'bob' },
      ],
    } as const;
    expect(toQueryPlan(shared, { ...plain, where }).branches.map(({ pinned }) => [...pinned])).toEqual([
      [['author', 'ann']],
      [['author', 'bob']],
    ]);
    const pinned = { ...plain, equal: { id: ['a', 'b'] }, where: { kind: 'equals', field: 'id', value: 'b' } } as const;
    expect(toQueryPlan(open, pinned).branches).toHaveLength(1);
    expect(toQueryPlan(open, { ...plain, where: false }).branches).toEqual([]);
  });

  test('is refused where no index serves it', async () => {
    const refused = async (request: Partial<ListRequest>) => reasonOf(Promise.try(() => toQueryPlan(open, { ...plain, ...request })));
    expect(await refused({ sort: [{ field: 'tenant', descending: false }, ...byId] })).toBe('query_not_served');
    expect(await refused({ where: { kind: 'differs', field: 'text', value: 'a' } })).toBe('query_not_served');
    const many = Array.from({ length: 20 }, (_, index) => String(index));
    expect(await refused({ equal: { tags: many, text: many } })).toBe('query_invalid');
  });
});

test('a merge keeps the order, the limit, and one of each document', () => {
  const row = (id: string): Row => ({ document: new StoredDocument(id, '{}'), keys: [{ rank: ranks.string, value: id }] });
  fc.assert(fc.property(fc.array(fc.uniqueArray(fc.constantFrom(...'abcdefgh'))), fc.integer({ min: 1, max: 5 }), (lists, limit) => {
    const merged = mergeRows(lists.map((list) => [...list].sort().slice(0, limit).map(row)), byId, limit);
    expect(merged.map(({ document }) => document.id)).toEqual([...new Set(lists.flat())].sort().slice(0, limit));
  }));
});

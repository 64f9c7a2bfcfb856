/** What a plan tells people, where its words could mislead them. */
import { expect, test } from 'bun:test';
import { toExaminationText, toStepText } from '../../../origin/database/plan-text.ts';

test('a member without a name is told as one', () => {
  const told = toExaminationText({
    resource: 'boats', documents: 1, isComplete: true, fitting: 1, ids: [], missing: [], types: [], invalid: [], renames: [], unlisted: 0,
    undeclared: [{ path: '', count: 1 }], servesUndeclared: false,
  });
  expect(told).toContain('undeclared  "", kept and served to nobody: 1');
});

test('a time is a range where it is one', () => {
  const cost = (secondsLeast: number, secondsMost: number) => toStepText({
    name: 'boats: index name', kind: 'index', collection: 'boats', command: { createIndexes: 'boats' }, undo: undefined,
    why: '', effect: '', documents: 5, bytes: 0, time: { secondsLeast, secondsMost }, by: 'apply',
  }, 1);
  expect(cost(1, 1)).toContain('read: 5; 1 s, at');
  expect(cost(1, 9)).toContain('read: 5; 1 s to 9 s, at');
});

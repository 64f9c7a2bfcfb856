/** A log of changes as it is declared. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, role } from '../../../shared/contract/rules.ts';

test('mistakes in what is declared stop the start, each named', () => {
  const shared = { schema: z.object({ n: z.int() }), shapes: { all: {} }, name: 'wrong' };
  const mistakesOf = (more: object) =>
    resourceMistakes(resource({ ...shared, ...more })).map((line) => /"wrong": ([\w.]+):/.exec(line)?.[1]);
  expect(mistakesOf({ history: { keptDays: 90 }, rules: { history: role('auditor') } })).toEqual([]);
  expect(mistakesOf({ rules: { history: anyone } })).toEqual(['rules.history']);
  for (const keptDays of [0, 1.5, 365_001, '90', undefined]) expect(mistakesOf({ history: { keptDays } })).toEqual(['history.keptDays']);
  expect(mistakesOf({ history: { keptDays: 90, read: anyone } })).toEqual(['history.read']);
  expect(mistakesOf({ history: { keptDays: 90 } })).toEqual([]);
});

/** Soft removal as it is declared. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, not, role } from '../../../shared/contract/rules.ts';

test('mistakes in what is declared stop the start, each named', () => {
  const shared = { schema: z.object({ n: z.int(), gone: z.string() }), shapes: { all: {} }, name: 'wrong' };
  const mistakesOf = (more: object) =>
    resourceMistakes(resource({ ...shared, ...more })).map((line) => /"wrong": ([\w.]+):/.exec(line)?.[1]);
  const removal = { at: 'deletedAt' };
  expect(mistakesOf({ removal, rules: { restore: role('clerk') } })).toEqual([]);
  expect(mistakesOf({ rules: { restore: anyone } })).toEqual(['rules.restore']);
  expect(mistakesOf({ removal, rules: { restore: not(equals('n', 1)) } })).toEqual(['rules.restore']);
  expect(mistakesOf({ removal: { at: 'deleted.at', keptDays: 0 } })).toEqual(['removal.at']);
  expect(mistakesOf({ removal: { ...removal, keptDays: 1.5, by: anyone } })).toEqual(['removal.by', 'removal.keptDays']);
  expect(mistakesOf({ removal: { at: 'gone' } })).toEqual(['schema.gone']);
  expect(mistakesOf({ removal: { at: 'rev' } })).toEqual(['deletedAt']);
});

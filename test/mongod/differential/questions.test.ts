import { expect, test } from 'bun:test';
import { toText } from './answers.ts';
import { conditionsOf, sortPathsOf } from './inspect.ts';
import { makeQuestion } from './questions.ts';

const sample = Array.from({ length: 500 }, (_, seed) => makeQuestion(seed));

test('the same seed asks the same question', () => {
  for (const { seed, command, documents } of sample) {
    const again = makeQuestion(seed);
    expect(toText([again.command, again.documents])).toBe(toText([command, documents]));
  }
});

test('the questions are of every kind, and few are alike', () => {
  const kinds = new Set(sample.map(({ command }) => Object.keys(command)[0]));
  expect([...kinds].sort()).toEqual(['aggregate', 'count', 'delete', 'distinct', 'find', 'findAndModify', 'update']);
  expect(new Set(sample.map(({ command }) => toText(command))).size).toBeGreaterThan(sample.length * 0.9);
});

test('a command is taken apart into its conditions and its sort', () => {
  const command = { find: 'things', filter: { $and: [{ a: { $not: { $gt: 1 } } }, { 'n.x': 2 }] }, sort: { b: 1, _id: -1 } };
  expect(conditionsOf(command.filter)).toEqual([
    { path: 'a', operators: { $not: { $gt: 1 } } },
    { path: 'a', operators: { $gt: 1 } },
    { path: 'n.x', operators: {}, equals: 2 },
  ]);
  expect(sortPathsOf(command)).toEqual(['b', '_id']);
  expect(sortPathsOf({ pipeline: [{ $match: {} }, { $sort: { a: 1 } }] })).toEqual(['a']);
});

/** Workflows under kill -9, on MongoDB of two processes: each effect once, undone in reverse, nothing half done. */
import { expect, test } from 'bun:test';
import { acting } from './declared.ts';
import { type Left, runKilledWorkflows, violationsIn } from './killed-workflows.ts';

const runs = [{ engine: 'sqlite', kills: 6, endsMin: 6 }, { engine: 'mongodb', kills: 4, endsMin: 4 }] as const;

test.each(runs)('killed at random moments on $engine, each step of a workflow has its effect once, or none is left', async (given) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledWorkflows({ ...given, seed });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.done).toBeGreaterThan(0);
  expect(figures.undone).toBeGreaterThanOrEqual(given.endsMin);
  expect(figures.again).toBeGreaterThan(0);
}, 300_000);

test('a lost workflow, an effect too many, too few or out of order, and what is not taken back are found', () => {
  const input = JSON.stringify({ of: 's', n: 1 });
  const runs = acting.map((name) => `run ${name}`);
  const left: Left = {
    owed: [input], workflows: new Map([['a', { input, state: 'done' }]]), entries: new Map([['a', runs]]),
    balances: { first: 1, second: 1, third: 1, fourth: 1 }, outside: [{ workflow: 'a', key: 'a-1-first', what: 'run' }],
  };
  const zero = { first: 0, second: 0, third: 0, fourth: 0 };
  const undone = (effects: readonly string[]): Partial<Left> => ({
    workflows: new Map([['a', { input, state: 'undone' }]]), entries: new Map([['a', effects]]), balances: zero,
    outside: [{ workflow: 'a', key: 'a-1-first', what: 'run' }, { workflow: 'a', key: 'a-1-first', what: 'undo' }],
  });
  const found = (wrong: Partial<Left>) => violationsIn({ ...left, ...wrong }).length;
  expect([found({}), found(undone([])), found(undone(['run first', 'run second', 'undo second', 'undo first']))]).toEqual([0, 0, 0]);
  expect(found({ owed: [input, input] })).toBe(1);
  expect(found({ owed: [] })).toBe(1);
  expect(found({ entries: new Map([['a', runs], ['b', runs]]) })).toBe(1);
  expect(found({ entries: new Map([['a', runs.slice(1)]]) })).toBe(1);
  expect(found({ entries: new Map([['a', [...runs, 'undo fourth']]]) })).toBe(1);
  expect(found({ balances: { ...left.balances, first: 2 } })).toBe(1);
  expect(found(undone(['run first', 'run second', 'undo first', 'undo second']))).toBe(1);
  expect(found(undone(['run first']))).toBe(1);
  expect(found({ ...undone([]), outside: left.outside })).toBe(1);
  expect(found({ outside: [...left.outside, { workflow: 'a', key: 'a-1-first', what: 'undo' }] })).toBe(1);
  expect(found({ workflows: new Map([['a', { input, state: 'stuck' }]]), balances: zero })).toBeGreaterThan(0);
});

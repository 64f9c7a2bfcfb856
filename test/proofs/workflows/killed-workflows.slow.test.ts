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
  expect(figures.anew).toBeGreaterThan(0);
  expect(figures.again).toBeGreaterThan(0);
}, 300_000);

test('a lost workflow, an effect too many, too few or out of order, and what is not taken back are found', () => {
  const input = JSON.stringify({ of: 's', n: 1 });
  const runs = acting.map((name) => `a-1-${name}-run`);
  const began: Left['outside'] = [{ workflow: 'a', key: 'a-1-first', what: 'run' }];
  const takenBack: Left['outside'] = [{ workflow: 'a', key: 'a-1-first', what: 'undo' }];
  const left: Left = {
    owed: [input], workflows: new Map([['a', { input, state: 'done', round: 1 }]]), entries: new Map([['a', runs]]),
    balances: { first: 1, second: 1, third: 1, fourth: 1 }, outside: began,
  };
  const zero = { first: 0, second: 0, third: 0, fourth: 0 };
  const effects = (...all: string[]): Partial<Left> => ({ entries: new Map([['a', all.map((each) => `a-${each}`)]]) });
  const undone = (...all: string[]): Partial<Left> => ({
    ...effects(...all), balances: zero, outside: [...began, ...takenBack],
    workflows: new Map([['a', { input, state: 'undone', round: 1 }]]),
  });
  const found = (wrong: Partial<Left>) => violationsIn({ ...left, ...wrong }).length;
  const ofRound = (round: number, ...names: string[]) => names.map((name) => `${round}-${name}-run`);
  const anew = [...ofRound(1, 'first', 'second', 'third'), '1-third-undo', '1-second-undo', ...ofRound(2, 'second', 'third', 'fourth')];
  expect([found({}), found(undone()), found(undone('1-first-run', '1-second-run', '1-second-undo', '1-first-undo'))]).toEqual([0, 0, 0]);
  expect(found(effects(...anew))).toBe(0);
  expect(found({ owed: [input, input] })).toBe(1);
  expect(found({ owed: [] })).toBe(1);
  expect(found({ entries: new Map([['a', runs], ['b', runs]]) })).toBe(1);
  expect(found({ entries: new Map([['a', runs.slice(0, 3)]]) })).toBe(1);
  expect(found({ entries: new Map([['a', runs.slice(1)]]) })).toBeGreaterThan(0);
  expect(found(effects(...anew.filter((each) => each !== '1-third-undo')))).toBeGreaterThan(0);
  expect(found({ entries: new Map([['a', [...runs, 'a-1-fourth-undo']]]) })).toBe(1);
  expect(found({ balances: { ...left.balances, first: 2 } })).toBe(1);
  expect(found(undone('1-first-run', '1-second-run', '1-first-undo', '1-second-undo'))).toBeGreaterThan(0);
  expect(found(undone('1-first-run'))).toBeGreaterThan(0);
  expect(found({ ...undone(), outside: began })).toBe(1);
  expect(found({ outside: [...began, ...takenBack] })).toBe(1);
  expect(found({ workflows: new Map([['a', { input, state: 'stuck', round: 1 }]]), balances: zero })).toBeGreaterThan(0);
});

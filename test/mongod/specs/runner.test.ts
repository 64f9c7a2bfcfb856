import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { loadFiles } from './load.ts';
import { formatSummary, passPercent, tally } from './report.ts';
import { runSuites } from './run-suites.ts';

test('the runner tells right expectations from wrong ones', async () => {
  const results = await runSuites(loadFiles([join(import.meta.dir, 'fixtures/shelf.json')]), { lanes: 1 });
  const wanted = (name: string) => (name.startsWith('right') ? 'passed' : name.startsWith('wrong') ? 'failed' : 'not applicable');

  expect(results.map(({ test: name, status }) => `${name} → ${status}`)).toEqual(results.map(({ test: name }) => `${name} → ${wanted(name)}`));
  expect(tally(results)).toEqual({ passed: 2, failed: 4, notApplicable: 1 });
});

test('a share is of the applicable tests, and none at all is no success', () => {
  expect(passPercent({ passed: 19, failed: 1, notApplicable: 80 })).toBe(95);
  expect(passPercent({ passed: 0, failed: 0, notApplicable: 5 })).toBe(0);
  expect(formatSummary([])).toHaveLength(1);
});

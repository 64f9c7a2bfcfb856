import { expect, test } from 'bun:test';
import { lanesDefault, passPercentMin, suitesMsMax } from './specs/limits.ts';
import { loadFiles, suitesAbsentReason, suitesPath, suitesPresent } from './specs/load.ts';
import { formatResult, formatSummary, passPercent, tally } from './specs/report.ts';
import { runSuites } from './specs/run-suites.ts';

const name = `the server passes at least ${passPercentMin} % of the applicable driver suites`;

if (!suitesPresent()) test.skip(`${name} (skipped: ${suitesAbsentReason})`, () => {});
else {
  test(
    name,
    async () => {
      const results = await runSuites(loadFiles([suitesPath]), { lanes: lanesDefault });
      const failed = results.filter(({ status }) => status === 'failed');

      console.log([...failed.map(formatResult), ...formatSummary(results)].join('\n'));
      expect(passPercent(tally(results))).toBeGreaterThanOrEqual(passPercentMin);
    },
    suitesMsMax,
  );
}

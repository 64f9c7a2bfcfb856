/**
 * Runs files in the unified test format through the real driver, against the project's test server or the
 * deployment in MONGODB_URI:
 *
 *   bun test/mongod/specs.ts [DIR…] [--verbose] [--only TEXT] [--lanes N] [--min-pass PERCENT]
 *
 * Ends with 1 when fewer than the given share of the applicable tests passed, with 2 when there is nothing to run.
 */
import { parseArgs } from 'node:util';
import { lanesDefault, passPercentMin } from './specs/limits.ts';
import { loadFiles, suitesAbsentReason, suitesPath, suitesPresent } from './specs/load.ts';
import { formatNotApplicable, formatResult, formatSummary, passPercent, tally } from './specs/report.ts';
import { runSuites } from './specs/run-suites.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    verbose: { type: 'boolean', default: false },
    only: { type: 'string' },
    lanes: { type: 'string', default: String(lanesDefault) },
    'min-pass': { type: 'string', default: String(passPercentMin) },
  },
});

if (positionals.length === 0 && !suitesPresent()) {
  console.error(suitesAbsentReason);
  process.exit(2);
}

const results = await runSuites(loadFiles(positionals.length > 0 ? positionals : [suitesPath]), {
  lanes: Number(values.lanes),
  uri: process.env['MONGODB_URI'],
  only: values.only,
  onResult: result => {
    if (values.verbose || result.status === 'failed') console.log(formatResult(result));
  },
});

for (const line of [...formatNotApplicable(results), '', ...formatSummary(results)]) console.log(line);
process.exit(passPercent(tally(results)) >= Number(values['min-pass']) ? 0 : 1);

/**
 * The README's test command. Builds the edge bundle once for all tests, runs the quick suites, then the slow
 * ones, two programs at a time and beside them those that mostly wait, then those that must be alone, looks for secrets in all
 * that was said meanwhile (`support/said.ts`), and ends with what failed, what was skipped and why, and the counts.
 *
 *   npm test                      everything
 *   npm test -- unit/edge order   only files whose path contains one of these
 *   MONGODB_URI=… npm test        what is about MongoDB runs against that deployment (support/given-deployment.ts)
 *
 * With CI=true a skipped test is a failure.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildEdgeBundle } from '../origin/dev/edge-bundle.ts';
import { describeDeployment, dropDatabasesOf, givenUri, newRunName } from './support/given-deployment.ts';
import { beginSaid, endSaid, secretsIn } from './support/said.ts';
import {
  addCounts, type NamedTest, noTests, parseTestReport, type TestCounts, toCountsLine, toSlowestLine,
} from './support/test-report.ts';

const given = givenUri();
/** Minutes, not seconds: what hangs is found either way, and neither a busy machine nor a far deployment is a failure. */
const quickMsMax = given === undefined ? 120_000 : 300_000;
const slowMsMax = given === undefined ? 180_000 : 300_000;
/**
 * Programs of a turn at once: as many as there are cores at least. With a third that computes, members of a replica set wait too
 * long for a turn.
 */
const lanes = 2;

/**
 * What starts programs or waits for bounds of seconds is slow; what takes half a core or less meanwhile waits beside all those;
 * what measures how long others wait is alone. A program loads what files share once for all that it is given, which costs
 * as much as most files themselves.
 */
const turns = {
  quick: { lanes, filesAtOnce: 20, msMax: quickMsMax },
  slow: { lanes, filesAtOnce: 2, msMax: slowMsMax },
  waiting: { lanes: 1, filesAtOnce: 6, msMax: slowMsMax },
  alone: { lanes: 1, filesAtOnce: 1, msMax: slowMsMax },
} as const;

type Turn = keyof typeof turns;

function turnOf(file: string): Turn {
  if (file.endsWith('.alone.test.ts')) return 'alone';
  if (file.endsWith('.waiting.test.ts')) return 'waiting';
  return file.startsWith('test/journeys/') || file.endsWith('.slow.test.ts') ? 'slow' : 'quick';
}

const project = join(import.meta.dir, '..');
const scratch = mkdtempSync(join(tmpdir(), 'tombolo-test-'));
const run = newRunName();

async function runAll(patterns: readonly string[]): Promise<number> {
  const files = [...new Bun.Glob('test/**/*.test.ts').scanSync(project)]
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => patterns.length === 0 || patterns.some((pattern) => file.includes(pattern)))
    .sort();
  if (files.length === 0) {
    process.stdout.write(`no test file matches ${patterns.join(' ')}\n${toCountsLine({ passed: 0, failed: 0, skipped: 0 })}\n`);
    return 1;
  }
  const unreachable = given === undefined ? [] : await look(given);
  if (unreachable.length > 0) return conclude({ ...noTests, failed: unreachable });
  await buildEdgeBundle(project);
  beginSaid(run);
  const take = (turn: Turn) => runTurn(files.filter((file) => turnOf(file) === turn), turns[turn]);
  const beside = take('waiting');
  const counts = [await take('quick'), await take('slow'), await beside, await take('alone')].reduce(addCounts);
  const left = given === undefined ? [] : await dropDatabasesOf(given, run);
  if (left.length > 0) process.stdout.write(`dropped what tests had left behind: ${left.join(' ')}\n`);
  const said = endSaid(run).flatMap(secretsIn).map((title) => ({ file: 'a log of the tests', title }));
  return conclude({ ...counts, failed: [...counts.failed, ...said] });
}

/** Says whom the tests will ask, or why nobody can be asked. */
async function look(uri: string): Promise<readonly NamedTest[]> {
  try {
    process.stdout.write(`MONGODB_URI: ${await describeDeployment(uri)}\n`);
    return [];
  } catch (error) {
    return [{ file: 'MONGODB_URI', title: error instanceof Error ? error.message : String(error) }];
  }
}

/** Some files at a time, each lane the next as soon as it is free. */
async function runTurn(files: readonly string[], { lanes, filesAtOnce, msMax }: (typeof turns)[Turn]): Promise<TestCounts> {
  const left = [...files];
  const lane = async () => {
    let counts = noTests;
    while (left.length > 0) counts = addCounts(counts, await runFiles(left.splice(0, filesAtOnce), msMax));
    return counts;
  };
  return (await Promise.all(Array.from({ length: lanes }, lane))).reduce(addCounts);
}

async function runFiles(files: readonly string[], msMax: number): Promise<TestCounts> {
  const report = join(scratch, `${crypto.randomUUID()}.xml`);
  const child = Bun.spawn(
    [
      process.execPath, 'test', `--timeout=${msMax}`, '--only-failures', '--reporter=junit',
      `--reporter-outfile=${report}`,
      ...files.map((file) => `./${file}`),
    ],
    { cwd: project, stdin: 'ignore', stdout: 'inherit', stderr: 'inherit', env: { ...process.env, TOMBOLO_TEST_RUN: run } },
  );
  const exitCode = await child.exited;
  const counts = existsSync(report) ? parseTestReport(readFileSync(report, 'utf8')) : noTests;
  const silent = files.filter((file) => !counts.files.has(file)).map((file) => ({ file, title: 'reported no test' }));
  const failed = [...counts.failed, ...silent];
  const unseen = exitCode !== 0 && failed.length === 0 ? [{ file: 'bun test', title: `ended with ${exitCode}` }] : [];
  return { ...counts, failed: [...failed, ...unseen] };
}

function conclude({ passed, failed, skipped, files }: TestCounts): number {
  process.stdout.write(`${toSlowestLine({ files })}\n`);
  for (const { file, title } of failed) process.stdout.write(`failed: ${file}: ${title}\n`);
  for (const { file, title } of skipped) process.stdout.write(`skipped: ${file}: ${title}\n`);
  const strict = process.env['CI'] === 'true' && skipped.length > 0;
  if (strict) process.stdout.write('with CI=true a skipped test is a failure\n');
  process.stdout.write(`${toCountsLine({ passed, failed: failed.length, skipped: skipped.length })}\n`);
  return failed.length > 0 || strict ? 1 : 0;
}

try {
  process.exitCode = await runAll(process.argv.slice(2));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

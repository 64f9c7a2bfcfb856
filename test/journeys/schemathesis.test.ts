/**
 * schemathesis asks the running sample what its description says and what it does not: no answer is a failure of ours, and none
 * is outside its schema. What it may expect beyond its defaults stands in `schemathesis/schemathesis.toml`, with the reasons.
 */
import { afterAll, beforeAll, expect } from 'bun:test';
import { served } from '../../shared/resources/all.ts';
import { testThat } from '../support/needs.ts';
import { pythonProgram } from '../support/python-program.ts';
import { type Sample, startSample } from '../support/sample.ts';

const schemathesis = pythonProgram('schemathesis');
const fuzzTest = testThat(schemathesis);
const casesMin = 5_000;
/** Fuzzing of a part goes on until this has passed, and once more with another seed while there were too few requests. */
const secondsMax = 60;
/** The same for what is Tombolo's own. */
const ownSecondsMax = 30;
const msMax = 600_000;

let sample: Sample | undefined;
beforeAll(async () => {
  if (schemathesis.met) sample = await startSample();
}, 60_000);
afterAll(() => sample?.close());

/** A process for each resource, one for Tombolo's own and one for the edge's paths: hypothesis, below it, is not safe in threads. */
const ofResources = [...served.resources.keys()].map((name) => ['--include-tag', name]);
const ofOwn = ['--include-path-regex', '^/v2/(jobs|keys|webhooks|workflows|operations)'];
const parts = [...ofResources, ['--include-tag', 'People'], ['--include-path-regex', '^/(health|openapi|v2/live|v2/transaction)']];

/** The run of a part in a version, or in the current one. */
function fuzz(caller: string | undefined, version: string, options: readonly string[], seed = 1) {
  return schemathesis.run([
    '--config-file', 'test/journeys/schemathesis/schemathesis.toml',
    'run', `${sample?.url}${version}/openapi.json`, '--header', `Authorization: Bearer ${caller}`,
    // A feed does not end by itself.
    '--exclude-path-regex', 'changes$', '--seed', String(seed), '--workers', '1', '--no-color', '--request-timeout', '15', ...options,
  ]);
}

function generatedIn(output: string): number {
  return Number(/^ *([\d,]+) generated/m.exec(output)?.[1]?.replaceAll(',', ''));
}

const callerWith = (...roles: string[]) => sample?.token({ subject: 'alice', roles, tenant: 'odeon', plan: 'bench' });
const caller = () => callerWith('editor', 'staff', 'moderator');

fuzzTest('an older version is answered as its description says', async () => {
  // What differs there are the films.
  const options = ['--include-tag', 'films', '--phases', 'fuzzing', '--max-examples', '15'];
  const { output, code } = await fuzz(await caller(), '/v1', options);
  expect([code, code === 0 ? '' : output.slice(-20_000)]).toEqual([0, '']);
  expect(generatedIn(output)).toBeGreaterThan(50);
}, msMax);

fuzzTest('5 000 requests of all kinds are answered as the description says', async () => {
  const [signedIn, admin] = [await caller(), await callerWith('admin')];
  let generated = 0;
  for (let seed = 1; generated <= casesMin; seed++) {
    const phases = ['--phases', seed === 1 ? 'examples,coverage,fuzzing' : 'fuzzing'];
    const own = fuzz(admin, '', [...ofOwn, ...phases, '--max-time', String(ownSecondsMax)], seed);
    const ofParts = parts.map((part) => fuzz(signedIn, '', [...part, ...phases, '--max-time', String(secondsMax)], seed));
    const runs = await Promise.all([own, ...ofParts]);
    for (const { output, code } of runs) expect([code, code === 0 ? '' : output.slice(-20_000)]).toEqual([0, '']);
    generated += runs.reduce((sum, { output }) => sum + generatedIn(output), 0);
  }
  expect(generated).toBeGreaterThan(casesMin);
}, msMax);

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
/** Fuzzing goes on until this has passed, whatever the machine. */
const secondsMax = 150;
const msMax = 200_000;

let sample: Sample | undefined;
beforeAll(async () => {
  if (schemathesis.met) sample = await startSample();
}, 60_000);
afterAll(() => sample?.close());

/** A process for each resource and one for the edge's own paths: hypothesis, below it, is not safe in threads. */
const ofResources = [...served.resources.keys()].map((name) => ['--include-tag', name]);
const parts = [...ofResources, ['--include-path-regex', '^/(health|openapi|v2/live)']];

fuzzTest('5 000 requests of all kinds are answered as the description says', async () => {
  const { url = '', token } = sample ?? {};
  const caller = await token?.({ subject: 'alice', roles: ['editor', 'staff', 'moderator'], tenant: 'odeon', plan: 'bench' });
  const runs = await Promise.all(parts.map((part) => schemathesis.run([
    '--config-file', 'test/journeys/schemathesis/schemathesis.toml',
    'run', `${url}/openapi.json`, ...part, '--header', `Authorization: Bearer ${caller}`,
    // A feed does not end by itself.
    '--exclude-path-regex', 'changes$',
    '--phases', 'examples,coverage,fuzzing', '--seed', '1', '--workers', '1', '--no-color',
    '--max-time', String(secondsMax), '--request-timeout', '15',
  ])));
  for (const { output, code } of runs) expect([code, code === 0 ? '' : output.slice(-20_000)]).toEqual([0, '']);
  const generated = runs.map(({ output }) => Number(/^ *([\d,]+) generated/m.exec(output)?.[1]?.replaceAll(',', '')));
  expect(generated.reduce((sum, cases) => sum + cases, 0)).toBeGreaterThan(casesMin);
}, msMax);

import type { LoadedFile } from './load.ts';
import { describe } from './expect-error.ts';
import { Mismatch } from './mismatch.ts';
import { notApplicableReason } from './not-applicable.ts';
import { unmetReason } from './requirements.ts';
import { runTest } from './run-test.ts';
import type { TestCase } from './schema.ts';
import { openTarget, type ServerFacts, type Target } from './target.ts';

export type Result = {
  readonly suiteName: string;
  readonly fileName: string;
  readonly test: string;
  readonly ms: number;
} & ({ readonly status: 'passed' } | { readonly status: 'failed' | 'not applicable'; readonly reason: string });

export type RunOptions = {
  readonly lanes: number;
  /** One deployment for all lanes; then there is one lane only. */
  readonly uri?: string | undefined;
  /** Only tests whose suite, file and description contain this. */
  readonly only?: string | undefined;
  readonly onResult?: (result: Result) => void;
};

type Job = LoadedFile & { readonly testCase: TestCase };

/** Runs every test of the files, each lane taking the next one left, and answers the results in the order of the files. */
export async function runSuites(files: readonly LoadedFile[], options: RunOptions): Promise<Result[]> {
  const jobs = files.flatMap(file => file.suite.tests.map(testCase => ({ ...file, testCase }))).filter(job => isWanted(job, options.only));
  const results: Result[] = [];
  let next = 0;
  const lanes = options.uri === undefined ? options.lanes : 1;
  await Promise.all(Array.from({ length: Math.min(lanes, jobs.length) }, runLane));
  return results;

  async function runLane(): Promise<void> {
    const lane = new Lane(options.uri);
    try {
      for (let index = next++; index < jobs.length; index = next++) {
        const job = jobs[index] as Job;
        const result = await runJob(job, await lane.targetFor(job));
        results[index] = result;
        options.onResult?.(result);
      }
    } finally {
      await lane.close();
    }
  }
}

/** A lane's servers: one without users for nearly all tests, one with for those that ask for authentication. */
class Lane {
  readonly #targets = new Map<boolean, Target>();
  readonly #uri: string | undefined;

  constructor(uri: string | undefined) {
    this.#uri = uri;
  }

  async targetFor({ suite, testCase }: Job): Promise<Target> {
    const auth = this.#uri === undefined && [...(suite.runOnRequirements ?? []), ...(testCase.runOnRequirements ?? [])].some(requirement => requirement.auth === true);
    const target = this.#targets.get(auth) ?? (await openTarget({ uri: this.#uri, auth }));
    this.#targets.set(auth, target);
    return target;
  }

  async close(): Promise<void> {
    for (const target of this.#targets.values()) await target.close();
  }
}

async function runJob(job: Job, target: Target): Promise<Result> {
  const { suiteName, fileName, testCase, suite } = job;
  const startedAt = performance.now();
  const about = { suiteName, fileName, test: testCase.description };
  const skipped = skipReason(job, target.facts);
  if (skipped !== undefined) return { ...about, ms: 0, status: 'not applicable', reason: skipped };
  const reason = await runTest(suite, testCase, target).then(() => undefined, toReason);
  const ms = Math.round(performance.now() - startedAt);
  return reason === undefined ? { ...about, ms, status: 'passed' } : { ...about, ms, status: 'failed', reason };
}

function skipReason({ fileName, suite, testCase }: Job, facts: ServerFacts): string | undefined {
  return notApplicableReason(fileName, suite, testCase) ?? unmetReason(suite.runOnRequirements, facts) ?? unmetReason(testCase.runOnRequirements, facts);
}

const toReason = (error: unknown) => (error instanceof Mismatch ? error.message : error instanceof Error ? describe(error) : String(error));

const isWanted = ({ suiteName, fileName, testCase }: Job, only = '') => `${suiteName}/${fileName}: ${testCase.description}`.includes(only);

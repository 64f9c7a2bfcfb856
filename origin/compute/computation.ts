/**
 * CPU-heavy functions of a team, each the default export of a file of its own (`origin/jobs/<name>.worker.ts`), which is imported
 * by threads alone: what answers requests and keeps leases does not wait for it. What it is given and what it gives are copied, as
 * `structuredClone` does. A thread runs one after another, so what the file keeps outside the function is not its own.
 */
import { availableParallelism } from 'node:os';
import { jobLimits } from '../../shared/jobs/limits.ts';
import { ComputePool } from './pool.ts';

export interface Computation<Input = never, Output = unknown> {
  readonly file: URL;
  /** Their types alone: neither is there. */
  readonly input?: (input: Input) => void;
  readonly output?: () => Output;
}

/** Exported for `origin/jobs`: `onThread<typeof digest>(new URL('./digest.worker.ts', import.meta.url))`, `digest` being its type. */
export function onThread<Run extends (input: never) => unknown>(file: URL): Computation<Parameters<Run>[0], Awaited<ReturnType<Run>>> {
  return { file };
}

export type ComputationCalls = {
  run: { request: { readonly file: string; readonly input: unknown }; reply: unknown };
};

/** Threads of their own: a computation may take as long as an attempt, and an upload waits for nothing longer than a step. */
export function openComputations(): ComputePool<ComputationCalls> {
  return new ComputePool({
    script: new URL('./computation.worker.ts', import.meta.url),
    threads: Math.max(1, availableParallelism() - 1),
    waitingCallsMax: jobLimits.concurrencyMax,
  });
}

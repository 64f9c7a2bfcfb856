/** Converts on a module whose `finish` never returns, again and again, and prints what became of it. */
import { readFileSync } from 'node:fs';
import type { ComputeCalls } from '../../../../origin/compute/calls.ts';
import { convertCsv } from '../../../../origin/compute/csv.client.ts';
import { ComputeFault } from '../../../../origin/compute/faults.ts';
import { threadsEndingMax } from '../../../../origin/compute/limits.ts';
import { ComputePool } from '../../../../origin/compute/pool.ts';
import { column, moduleFile } from '../../wasm/module.ts';
import { spin, withCode } from '../../wasm/patched-module.ts';

const pool = new ComputePool<ComputeCalls>({
  script: new URL('../../../../origin/compute/compute.worker.ts', import.meta.url),
  module: withCode('finish', spin, new Uint8Array(readFileSync(moduleFile))),
  threads: 1,
});

async function* csv() {
  yield new TextEncoder().encode('a\n1\n');
}

/** Starts a thread: beside those that are stuck, that takes longer than a step may. */
async function start(signal: AbortSignal): Promise<void> {
  const session = pool.session();
  await session.call('csv.close', { stream: session.id }, { signal, msMax: 30_000 });
  session.close();
}

async function convert(): Promise<string> {
  const { signal } = new AbortController();
  const job = { plan: { unknown: 'refuse', columns: [column('a')] }, signal, stepMsMax: 500, chunks: csv() } as const;
  try {
    await start(signal);
    for await (const _ of convertCsv(pool, job));
    return 'converted';
  } catch (fault) {
    return fault instanceof ComputeFault ? fault.reason : String(fault);
  }
}

const reasons: string[] = [];
for (let round = 0; round <= threadsEndingMax; round += 1) reasons.push(await convert());
const { threadsEnding, deadlines } = pool.stats();
const { ready } = pool.state();
console.log(JSON.stringify({ reasons, threadsEnding, deadlines, ready }));
process.exit(0);

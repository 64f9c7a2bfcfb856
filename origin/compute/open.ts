/** The pool of this process: one compiled module, as many threads as leave a core to the requests. */
import { availableParallelism } from 'node:os';
import type { ComputeCalls } from './calls.ts';
import { compiledModule } from './module.ts';
import { ComputePool } from './pool.ts';

export async function openCompute(): Promise<ComputePool<ComputeCalls>> {
  const module = await compiledModule();
  return new ComputePool({
    module,
    script: new URL('./compute.worker.ts', import.meta.url),
    threads: Math.max(1, availableParallelism() - 1),
  });
}

/** The worker as a service: the last to start and the first to stop, so that whatever jobs need is there as long as they run. */
import type { Context } from '../context.ts';
import type { Started } from '../services/services.ts';
import type { Jobs } from './checks.ts';
import { Worker, type WorkerOptions } from './worker.ts';

export function startWorker(declared: Jobs, context: Context, options: WorkerOptions): Started<void> {
  const worker = new Worker(context, declared, options);
  const running = worker.run();
  return { value: undefined, stop: (deadline) => (worker.stop(deadline), running), state: () => worker.state };
}

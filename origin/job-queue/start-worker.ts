/** The worker as a service: the last to start and the first to stop, so that whatever jobs need is there as long as they run. */
import { jobs } from '../../shared/jobs/resource.ts';
import type { Context } from '../context.ts';
import type { Started } from '../services/services.ts';
import type { Store } from '../store/store.ts';
import type { Jobs } from './checks.ts';
import { inTime } from './claims.ts';
import { toDue } from './job-lists.ts';
import { jobIn } from './stored-job.ts';
import { Worker, type WorkerOptions } from './worker.ts';

export function startWorker(declared: Jobs, context: Context, options: WorkerOptions): Started<void> {
  const worker = new Worker(context, declared, options);
  const running = worker.run();
  return {
    value: undefined, stop: (deadline) => (worker.stop(deadline), running), state: () => worker.state,
    figures: async () => ({ ...worker.tally.figures, lagSeconds: await waitingSeconds(context.store) }),
  };
}

/** Since when the job has been ready that has been so for longest, in whatever queue; 0: none is. */
async function waitingSeconds(store: Store): Promise<number> {
  const { value: [oldest] } = await store.list(jobs, { ...toDue('ready', {}), range: undefined, limit: 1 }, inTime());
  if (oldest === undefined) return 0;
  return Math.max(0, (await store.time()) - Date.parse(jobIn(oldest.document).dueAt)) / 1_000;
}

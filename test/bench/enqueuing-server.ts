/** `npm run serve` of a team with a hook before films are written, which enqueues a job, or with one that does not. */
import * as z from 'zod';
import { type BeforeWrite, beforeWrite } from '../../origin/documents/before-write.ts';
import { beforeWrites } from '../../origin/hooks/all.ts';
import { job } from '../../origin/job-queue/job.ts';
import { films } from '../../shared/resources/films.ts';

/** It is not declared, so that none is run: what it costs to enqueue one is measured alone. */
const queue = { name: 'bench', concurrency: 1 };
const caused = job({ name: 'caused', payload: z.object({ n: z.int() }), queue, handler: async () => undefined });
const isCausing = process.env['BENCH_ENQUEUES'] === '1';

asTeams(beforeWrites).push(beforeWrite(films, ({ enqueue }) => {
  if (isCausing) enqueue(caused, { n: 1 });
  return {};
}));
await import('../../origin/one-process/main.ts');

/** The team's list is an array, read when the program above starts. */
function asTeams(hooks: readonly BeforeWrite[]): BeforeWrite[] {
  return hooks as BeforeWrite[];
}

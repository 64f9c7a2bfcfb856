/** Which queues a worker looks into when the feed tells it of a job. */
import { expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { type Job, job } from '../../../origin/job-queue/job.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const ofQueue = (name: string) => job({ name, payload: z.null(), queue: { name, concurrency: 1 }, handler: async () => undefined });

test.each(engines)('jobs of one queue make no other be looked into, nor do those that nobody here runs (%s)', async (engine) => {
  const [busy, calm, elsewhere] = [ofQueue('busy'), ofQueue('calm'), ofQueue('elsewhere')];
  await using origin = await DirectOrigin.on(engine, contract(), { jobs: [busy, calm] });
  const { store } = origin.context;
  const enqueue = async (each: Job<z.ZodNull>) => {
    const mutation = enqueuing(each, null, {}, { principal: { subject: 'ada', claims: {} }, nowMs: Date.now() });
    await store.write([mutation], { deadline: Date.now() + 10_000 });
    return mutation.id;
  };
  const stateOf = async (id: string) => (await origin.stored(jobs, id))?.['state'];
  const run = async (each: Job<z.ZodNull>) => {
    const id = await enqueue(each);
    await eventually(`${each.name} is done`, async () => (await stateOf(id)) === 'done');
  };
  // Each has been looked into when its first job is done.
  for (const each of [calm, busy]) await run(each);
  const lists = spyOn(store, 'lists');
  const looked = () => new Set(lists.mock.calls.flatMap(([, requests]) => requests.flatMap(({ equal }) => equal['queue'] ?? [])));
  const unknown = await enqueue(elsewhere);
  for (let count = 0; count < 5; count++) await run(busy);
  expect(looked()).toEqual(new Set(['busy']));
  expect(await stateOf(unknown)).toBe('ready');
  await run(calm);
  expect(looked()).toEqual(new Set(['busy', 'calm']));
});

/** Workflows that have yet to begin, that begin again under their `dedupe`, and what their waits take for an id and a time. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { enqueuing, type Enqueuing } from '../../../origin/job-queue/enqueue.ts';
import type { Step } from '../../../origin/workflow-engine/workflow.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals } from '../../../shared/contract/rules.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import {
  ada, ask, bob, flow, type Input, noted, noting, notes, olga, shown, start, states, until,
} from '../../support/asked-workflows.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const orders = resource({
  name: 'orders', shapes: { all: {} }, rules: { read: anyone, write: anyone }, schema: z.object({ status: z.string() }),
});

describe.each(engines)('workflows on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });

  const opening = async (steps: readonly Step<Input>[]) => {
    const of = flow(steps);
    const origin = await DirectOrigin.on(engine, contract(notes, orders), { workflows: [of] });
    opened.push(origin);
    const enqueue = async (how: Enqueuing, principal = ada) => {
      const mutation = enqueuing(of, { note: 'n' }, how, { principal, nowMs: Date.now() });
      await origin.context.store.write([mutation], { deadline: Date.now() + 10_000 });
      return mutation.id;
    };
    return { origin, enqueue };
  };

  test('that begin again under their dedupe after their end ask others by keys of their own', async () => {
    const keys: string[] = [];
    const { origin, enqueue } = await opening([{ name: 'pay', run: async (_call, { key }) => (keys.push(key), {}) }]);
    const id = await enqueue({ dedupe: 'order-7' });
    await until(origin, id, 'done');
    await eventually('its job has ended', async () => (await origin.stored(jobs, id))?.['state'] === 'done');
    expect(await enqueue({ dedupe: 'order-7' })).toBe(id);
    await eventually('it was done again', () => keys.length === 2);
    expect(keys).toEqual([`${id}-1-pay`, `${id}-2-pay`]);
    expect(await until(origin, id, 'done')).toMatchObject({ round: 2 });
  });

  test('that have yet to begin are cancelled as they are seen, and never begin', async () => {
    const { origin, enqueue } = await opening([noting('first'), { name: 'approval', signal: z.null(), withinMs: 60_000 }]);
    const id = await enqueue({ runAt: Date.now() + 60_000 });
    expect(await shown(origin, id)).toMatchObject({ state: 'running', steps: [] });
    expect((await ask(origin, 'signalWorkflow', { id, body: { step: 'approval' } })).detail)
      .toBe('the workflow does not wait at "approval"');
    expect((await ask(origin, 'cancelWorkflow', { id, principal: bob })).outcome).toBe('document_not_found');
    expect((await origin.stored(jobs, id))?.['state']).toBe('delayed');
    expect((await ask(origin, 'cancelWorkflow', { id })).outcome).toBe('removed');
    expect((await origin.stored(jobs, id))?.['state']).toBe('cancelled');
    expect((await ask(origin, 'getWorkflow', { id })).outcome).toBe('absent');
    expect(await noted(origin, 'first')).toEqual([false]);
  });

  test('that have yet to begin again are seen as they will begin, and are what they were once that is cancelled', async () => {
    let runs = 0;
    const { origin, enqueue } = await opening([{ name: 'pay', run: async () => (runs++, {}) }]);
    const id = await enqueue({ dedupe: 'order-7' });
    await until(origin, id, 'done');
    await eventually('its job has ended', async () => (await origin.stored(jobs, id))?.['state'] === 'done');
    await enqueue({ dedupe: 'order-7', runAt: Date.now() + 60_000 }, bob);
    expect(await shown(origin, id)).toMatchObject({ state: 'done', round: 1, owner: 'ada' });
    expect((await ask(origin, 'cancelWorkflow', { id })).detail).toBe('the workflow is done');
    expect(await shown(origin, id, bob)).toMatchObject({ state: 'running', steps: [], round: 2, owner: 'bob' });
    expect((await ask(origin, 'retryWorkflow', { id, principal: olga, query: '?from=pay' })).outcome).toBe('document_conflict');
    expect((await ask(origin, 'cancelWorkflow', { id, principal: bob })).outcome).toBe('removed');
    expect((await origin.stored(jobs, id))?.['state']).toBe('cancelled');
    expect((await ask(origin, 'getWorkflow', { id, principal: bob })).outcome).toBe('absent');
    expect(await shown(origin, id, olga)).toMatchObject({ state: 'done', round: 1, owner: 'ada' });
    await enqueue({ dedupe: 'order-7' });
    await eventually('it was done again', () => runs === 2);
    expect(await until(origin, id, 'done')).toMatchObject({ round: 2 });
  });

  test('wait for a document by whichever spelling of its id', async () => {
    const order = 'abcdef00-0000-7000-8000-000000000001';
    const wait: Step<Input> = {
      name: 'wait', of: orders, id: ({ input: { note } }) => note, where: equals('status', 'paid'), withinMs: 20_000,
    };
    const { origin } = await opening([wait]);
    const id = await start(origin, order.toUpperCase());
    await eventually('it waits', async () => states(await shown(origin, id)).at(-1) === 'wait waiting');
    await origin.put(orders, order, { status: 'paid' });
    await until(origin, id, 'done');
  });

  test('go on at once where the time that they wait for is long over', async () => {
    const { origin } = await opening([{ name: 'since', until: () => Date.UTC(2020, 0, 1) }, noting('last')]);
    expect(states(await until(origin, await start(origin), 'done'))).toEqual(['since done', 'last done']);
  });
});

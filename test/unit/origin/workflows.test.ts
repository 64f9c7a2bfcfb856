/** Workflows at the origin: how they begin, go on, wait, are undone, stuck, retried and cancelled, and who sees them. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Own } from '../../../origin/own.ts';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { execute } from '../../../origin/execute.ts';
import { type Given, type Step, type StepCall, type Undone, type Workflow, workflow } from '../../../origin/workflow-engine/workflow.ts';
import { equals, role, signedIn } from '../../../shared/contract/rules.ts';
import { jobOperations } from '../../../shared/jobs/operations.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { workflows } from '../../../shared/workflows/resource.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import {
  ada, ask, bob, flow, type Input, input, noted, notes, noting, olga, otherAdmin, quick, refuses, served, shown, start, states, until,
} from '../../support/asked-workflows.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';


describe.each(engines)('workflows on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });

  const opening = async (own: Own) => {
    const origin = await DirectOrigin.on(engine, served, own);
    opened.push(origin);
    return origin;
  };

  test('do one step after the other, each with what came before, and their owner alone, and admins of the tenant, see them', async () => {
    const second = noting('second', (_call, { result }) => expect(result('first', z.object({ by: z.string() }))).toEqual({ by: 'first' }));
    const origin = await opening({ workflows: [flow([noting('first'), second])] });
    const id = await start(origin, 'hello');
    expect(await until(origin, id, 'done')).toEqual({
      id, workflow: 'flow', state: 'done', owner: 'ada', tenant: 'odeon', round: 1,
      steps: [{ name: 'first', state: 'done', result: { by: 'first' } }, { name: 'second', state: 'done', result: { by: 'second' } }],
      createdAt: expect.any(String), endedAt: expect.any(String),
    });
    expect((await origin.stored(notes, 'second'))?.['text']).toBe('hello');
    const sees = await Promise.all([ada, bob, olga, otherAdmin].map(async (principal) =>
      (await ask(origin, 'getWorkflow', { id, principal })).outcome));
    expect(sees).toEqual(['found', 'absent', 'found', 'absent']);
    for (const name of ['cancelWorkflow', 'retryWorkflow'] as const) {
      expect((await ask(origin, name, { id, principal: otherAdmin })).outcome).toBe('document_not_found');
      expect((await ask(origin, name, { id, principal: olga })).detail).toBe('the workflow is done');
    }
  });

  test('of which a step is refused are undone, the last first, without another attempt', async () => {
    const undone: string[] = [];
    const telling = (step: Step<Input>): Step<Input> => ({
      ...step, undo: async (call: StepCall, given: Undone<Input>) => {
        undone.push(`${step.name} ${given.isDone}`);
        return 'undo' in step && step.undo !== undefined ? step.undo(call, given) : {};
      },
    } as Step<Input>);
    let tries = 0;
    const steps = [noting('first'), noting('second'), noting('third', () => (tries++, refuses()))].map(telling);
    const origin = await opening({ workflows: [flow(steps)] });
    const id = await start(origin);
    const workflow = await until(origin, id, 'undone');
    expect([states(workflow), workflow['why'], workflow['error'], tries]).toEqual([
      ['first undone', 'second undone', 'third undone'], 'failed', 'sold out', 1,
    ]);
    expect(undone).toEqual(['third false', 'second true', 'first true']);
    expect(await noted(origin, 'first', 'second', 'third')).toEqual([false, false, false]);
  });

  test('try a step again, and what is refused in its commit writes nothing', async () => {
    let tries = 0;
    const failing = noting('first', () => {
      tries++;
      throw new Error('secret of the inside');
    });
    const origin = await opening({ workflows: [flow([noting('zero'), failing])] });
    const id = await start(origin);
    expect([(await until(origin, id, 'undone'))['error'], tries]).toEqual(['it failed', 3]);
    expect((await shown(origin, id, olga))['error']).toBe('secret of the inside');
    // The note is there already, so the second write is refused; the first goes with it.
    await origin.ask('replace', notes, { id: 'zero', body: { text: 'x' } });
    const again = await until(origin, await start(origin), 'undone');
    expect(states(again)).toEqual(['zero undone']);
    expect(await noted(origin, 'zero')).toEqual([true]);
  });

  test('that take too long, or whose time is over, are undone', async () => {
    const never = () => new Promise<never>(() => undefined);
    const late: Step<Input> = { name: 'late', attempts: 2, backoff: quick, timeoutMs: 40, run: never };
    const origin = await opening({ workflows: [flow([noting('first'), late])] });
    const workflow = await until(origin, await start(origin), 'undone');
    expect([states(workflow), workflow['why'], await noted(origin, 'first')]).toEqual([['first undone', 'late failed'], 'failed', [false]]);
    const whole = await opening({ workflows: [flow([noting('first'), { name: 'never', run: never }], { withinMs: 400 })] });
    expect((await until(whole, await start(whole), 'undone'))['why']).toBe('late');
    expect(await noted(whole, 'first')).toEqual([false]);
  });

  test('wait for a time, for their owner, and for a document, whether it is so already or becomes so', async () => {
    const steps: readonly Step<Input>[] = [
      { name: 'rest', until: (_given, nowMs) => nowMs + 50 },
      { name: 'approval', signal: z.object({ by: z.string() }), withinMs: 60_000 },
      { name: 'already', of: notes, id: () => 'already', where: equals('text', 'yes'), withinMs: 60_000 },
      {
        name: 'becomes', of: notes, id: ({ result }) => result('approval', z.object({ by: z.string() })).by,
        where: equals('text', 'yes'), withinMs: 60_000,
      },
      noting('last'),
    ];
    const origin = await opening({ workflows: [flow(steps)] });
    await origin.ask('replace', notes, { id: 'already', body: { text: 'yes' } });
    const id = await start(origin);
    await eventually('it waits for approval', async () => states(await shown(origin, id)).at(-1) === 'approval waiting');
    const signal = (body: object, principal = ada) => ask(origin, 'signalWorkflow', { id, principal, body });
    expect((await signal({ step: 'approval', payload: { by: 'bob' } }, olga)).outcome).toBe('forbidden');
    expect((await signal({ step: 'approval', payload: { by: 'bob' } }, bob)).outcome).toBe('document_not_found');
    expect((await signal({ step: 'approval', payload: { by: 5 } })).errors).toMatchObject([{ at: '/payload/by' }]);
    expect((await signal({ step: 'rest' })).errors).toMatchObject([{ at: '/step' }]);
    expect((await signal({ step: 'approval', payload: { by: 'bob' } })).outcome).toBe('written');
    expect((await signal({ step: 'approval', payload: { by: 'bob' } })).outcome).toBe('document_conflict');
    await eventually('it waits for a note', async () => states(await shown(origin, id)).at(-1) === 'becomes waiting');
    await origin.ask('replace', notes, { id: 'bob', body: { text: 'no' } });
    await origin.ask('replace', notes, { id: 'bob', body: { text: 'yes' } });
    expect(states(await until(origin, id, 'done'))).toEqual(['rest done', 'approval done', 'already done', 'becomes done', 'last done']);
  });

  test('that wait are told of what a document became while its history was lost', async () => {
    const wait: Step<Input> = { name: 'wait', of: notes, id: () => 'gate', where: equals('text', 'yes'), withinMs: 60_000 };
    const own: { workflows: readonly Workflow[] } = { workflows: [flow([wait])] };
    const origin = await opening(own);
    const id = await start(origin);
    const beginAgain = async (workflowsThen: readonly Workflow[]) => {
      await origin.context.services.stop(Date.now() + 5_000);
      own.workflows = workflowsThen;
      await origin.begin();
    };
    const { workflows: declared } = own;
    await beginAgain([]);
    await origin.ask('replace', notes, { id: 'gate', body: { text: 'yes' } });
    await origin.context.store.renewEpoch();
    await beginAgain(declared);
    await until(origin, id, 'done');
  });

  test('whose waits are over in time are undone', async () => {
    const origin = await opening({ workflows: [flow([noting('first'), { name: 'approval', signal: z.null(), withinMs: 50 }])] });
    const workflow = await until(origin, await start(origin), 'undone');
    expect([workflow['error'], await noted(origin, 'first')]).toEqual(['what "approval" waits for did not come in time', [false]]);
  });

  test('are cancelled while a step runs, which writes nothing any more', async () => {
    let isRunning = false;
    const slow: Step<Input> = {
      name: 'slow',
      run: async (call) => {
        isRunning = true;
        await eventually('it is cancelled', () => call.signal.aborted);
        return { writes: [call.create(notes, { id: 'slow', text: 'x' })] };
      },
    };
    const origin = await opening({ workflows: [flow([noting('first'), slow])] });
    const id = await start(origin);
    await eventually('it runs', () => isRunning);
    expect((await ask(origin, 'cancelWorkflow', { id, principal: bob })).outcome).toBe('document_not_found');
    expect((await ask(origin, 'cancelWorkflow', { id })).outcome).toBe('removed');
    expect((await ask(origin, 'cancelWorkflow', { id })).outcome).toBe('removed');
    expect(states(await until(origin, id, 'undone'))).toEqual(['first undone', 'slow failed']);
    expect(await noted(origin, 'first', 'slow')).toEqual([false, false]);
  });

  test('hold where a step says so, and are stuck where an undoing fails; an admin has them go on', async () => {
    let mends = false;
    const held: Step<Input> = { ...noting('held', () => (mends ? undefined : refuses())), holds: true } as Step<Input>;
    const origin = await opening({ workflows: [flow([noting('first'), held])] });
    const id = await start(origin);
    expect(states(await until(origin, id, 'stuck'))).toEqual(['first done', 'held stuck']);
    const { json } = await ask(origin, 'listWorkflows', { principal: olga, query: '?state=stuck' });
    expect((json['data'] as readonly JsonObject[]).map((each) => each['id'])).toEqual([id]);
    expect((await ask(origin, 'listWorkflows', { principal: otherAdmin })).json['data']).toEqual([]);
    mends = true;
    expect((await ask(origin, 'retryWorkflow', { id, principal: olga })).json).toMatchObject({ id, state: 'running' });
    expect(await until(origin, id, 'done')).not.toHaveProperty('error');

    let opens = false;
    const hard: Step<Input> = { name: 'hard', run: async () => ({}), undo: async () => (opens ? {} : refuses()) };
    const other = await opening({ workflows: [flow([hard, noting('second', () => (opens ? undefined : refuses()))])] });
    const stuck = await start(other);
    expect(states(await until(other, stuck, 'stuck'))).toEqual(['hard stuck', 'second undone']);
    expect((await ask(other, 'cancelWorkflow', { id: stuck })).outcome).toBe('document_conflict');
    opens = true;
    await ask(other, 'retryWorkflow', { id: stuck, principal: olga });
    await until(other, stuck, 'undone');
    await ask(other, 'retryWorkflow', { id: stuck, principal: olga });
    expect(await until(other, stuck, 'done')).toMatchObject({ round: 2 });
  });

  test('fail at a wait that cannot be told, and others go on', async () => {
    const of = (id: (given: Given<Input>) => string): Step<Input> =>
      ({ name: 'wait', of: notes, id, where: equals('text', 'yes'), withinMs: 60_000 });
    const good = workflow({ name: 'good', input, start: signedIn, steps: [of(({ input: { note } }) => note), noting('last')] });
    const bad = flow([of(({ input: { note } }) => note), {
      ...of(() => {
        throw new Fault('document_conflict', { detail: 'no such thing' });
      }), name: 'second',
    }]);
    const origin = await opening({ workflows: [good, bad] });
    const id = await start(origin, 'both');
    const { json: other } = await ask(origin, 'startWorkflow', { body: { workflow: 'good', input: { note: 'both' } } });
    await origin.ask('replace', notes, { id: 'both', body: { text: 'yes' } });
    await until(origin, String(other['id']), 'done');
    expect(await until(origin, id, 'undone')).toMatchObject({ error: 'no such thing', steps: [{ state: 'done' }, { state: 'failed' }] });
  });

  test('begin with the write that causes them, and not where it is refused', async () => {
    const caused = flow([noting('of-a-hook')]);
    const ids: string[] = [];
    const hook = beforeWrite(notes, ({ next, enqueue }) => {
      if (next.id === 'cause' || next.id === 'refused') enqueue(caused, { note: String(next.text) }, { dedupe: next.id });
      if (next.id === 'refused') refuses();
      return {};
    });
    const origin = await opening({ workflows: [caused], hooks: [hook] });
    await origin.ask('replace', notes, { id: 'refused', principal: ada, body: { text: 'no' } });
    await origin.ask('replace', notes, { id: 'cause', principal: ada, body: { text: 'yes' } });
    await eventually('it is done', async () => (await origin.stored(notes, 'of-a-hook')) !== undefined);
    const { json } = await ask(origin, 'listWorkflows', {});
    ids.push(...(json['data'] as readonly JsonObject[]).map((each) => String(each['id'])));
    expect([ids.length, (await origin.stored(notes, 'of-a-hook'))?.['text']]).toEqual([1, 'yes']);
  });

  test('refuse what they do not take by its place, and jobs of theirs are nobody’s to cancel', async () => {
    const closed = workflow({ name: 'closed', input, steps: [noting('a')] });
    const staff = workflow({ name: 'staff', input, steps: [noting('a')], start: role('staff') });
    const waits = flow([{ name: 'approval', signal: z.null(), withinMs: 60_000 }]);
    const origin = await opening({ workflows: [closed, staff, waits] });
    const places = async (body: object) => (await ask(origin, 'startWorkflow', { body })).errors.map(({ at }) => at);
    for (const name of ['closed', 'staff', 'none']) expect(await places({ workflow: name, input: { note: 'n' } })).toEqual(['/workflow']);
    expect(await places({ workflow: 'flow', input: { note: 5 } })).toEqual(['/input/note']);
    expect((await ask(origin, 'startWorkflow', { body: { workflow: 'flow' } })).errors).toEqual([
      { at: '/input', in: 'body', detail: 'is missing: what the workflow takes, {} where it takes nothing' },
    ]);
    expect(await places({ workflow: 'flow', input: { note: 'x'.repeat(70_000) } })).toEqual(['/input']);
    const id = await start(origin);
    const job = String((await origin.stored(workflows, id))?.['job']);
    expect((await origin.askBy(jobOperations.cancelJob, execute, jobs, { id: job, principal: ada })).detail).toContain('of a workflow');
    expect((await ask(origin, 'listWorkflows', { query: '?state=none' })).errors).toMatchObject([{ at: 'state', in: 'query' }]);
  });
});

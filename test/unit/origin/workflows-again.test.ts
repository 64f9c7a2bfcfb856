/** Workflows that are followed live, and that an admin has go on anew from a step: what came behind it is undone before. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import type { RunStep, Step } from '../../../origin/workflow-engine/workflow.ts';
import { workflowOperations } from '../../../shared/workflows/operations.ts';
import { workflows } from '../../../shared/workflows/resource.ts';
import {
  ada, ask, bob, flow, type Input, noted, notes, noting, olga, otherAdmin, refuses, served, shown, start, states, until,
} from '../../support/asked-workflows.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { EventStream } from '../../support/event-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

describe.each(engines)('workflows on %s', (engine) => {
  const opened: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of opened.splice(0).toReversed()) await close();
  });

  const opening = async (steps: readonly Step<Input>[]) => {
    const origin = await DirectOrigin.on(engine, served, { workflows: [flow(steps)] });
    opened.push(() => origin[Symbol.asyncDispose]());
    return origin;
  };

  /** What acts in it is told in order, with the end of the key by which others would know it. */
  const recording = () => {
    const acts: string[] = [];
    const of = (step: RunStep<Input>): RunStep<Input> => ({
      ...step,
      run: (call, given) => (acts.push(`run ${given.key.slice(37)}`), step.run(call, given)),
      undo: async (call, given) => (acts.push(`undo ${given.key.slice(37)}`), step.undo?.(call, given) ?? {}),
    });
    return { acts, of };
  };

  const retry = (origin: DirectOrigin, id: string, from: string, principal = olga) =>
    ask(origin, 'retryWorkflow', { id, principal, query: `?from=${from}` });

  test('go on anew from a step, once that and all behind it are undone, and what stays is undone under its own key', async () => {
    const { acts, of } = recording();
    let isRefused = false;
    const fourth = noting('fourth', () => (isRefused ? refuses() : undefined));
    const origin = await opening([of(noting('first')), of(noting('second')), of(noting('third')), of(fourth)]);
    const id = await start(origin);
    await until(origin, id, 'done');
    expect(acts.splice(0)).toEqual(['run 1-first', 'run 1-second', 'run 1-third', 'run 1-fourth']);
    const given = await retry(origin, id, 'third');
    expect(given.json).toMatchObject({ state: 'undoing', why: 'retried', from: 'third', round: 1 });
    expect(given.json).not.toHaveProperty('endedAt');
    const again = await until(origin, id, 'done');
    expect([again['round'], again['why'], again['from']]).toEqual([2, undefined, undefined]);
    expect(acts.splice(0)).toEqual(['undo 1-fourth', 'undo 1-third', 'run 2-third', 'run 2-fourth']);
    isRefused = true;
    await retry(origin, id, 'fourth');
    expect(states(await until(origin, id, 'undone'))).toEqual(['first undone', 'second undone', 'third undone', 'fourth undone']);
    expect(acts).toEqual(['undo 2-fourth', 'run 3-fourth', 'undo 3-fourth', 'undo 2-third', 'undo 1-second', 'undo 1-first']);
    expect(await noted(origin, 'first', 'second', 'third', 'fourth')).toEqual([false, false, false, false]);
  });

  test('go on anew from a step before the one that they wait at, run or are stuck at, whose late ends are refused', async () => {
    let isRunning = false;
    const { promise: isLetGo, resolve: letGo } = Promise.withResolvers<void>();
    const slow: RunStep<Input> = {
      name: 'slow',
      run: async (call, { key }) => {
        const isFirst = !isRunning;
        isRunning = true;
        if (isFirst) await isLetGo;
        return { writes: [call.create(notes, { id: key.slice(37), text: 'x' })] };
      },
      undo: async (call, { key, isDone }) => ({ writes: isDone ? [call.remove(notes, key.slice(37))] : [] }),
    };
    let isRefused = true;
    const held: RunStep<Input> = { ...noting('held', () => (isRefused ? refuses() : undefined)), holds: true };
    const wait: Step<Input> = { name: 'wait', signal: z.string(), withinMs: 60_000 };
    const origin = await opening([noting('first'), slow, wait, held]);
    const id = await start(origin);
    const at = (place: string) => eventually(place, async () => states(await shown(origin, id)).at(-1) === place);
    await eventually('it runs', () => isRunning);
    expect((await retry(origin, id, 'first')).outcome).toBe('written');
    await at('wait waiting');
    letGo();
    expect(await shown(origin, id)).toMatchObject({ round: 2, steps: [{ state: 'done' }, { state: 'done' }, { state: 'waiting' }] });
    await retry(origin, id, 'slow');
    await eventually('it waits anew', async () => (await shown(origin, id))['round'] === 3);
    await at('wait waiting');
    await ask(origin, 'signalWorkflow', { id, body: { step: 'wait', payload: 'yes' } });
    await until(origin, id, 'stuck');
    await retry(origin, id, 'wait');
    await at('wait waiting');
    expect(await shown(origin, id)).not.toHaveProperty('error');
    isRefused = false;
    await ask(origin, 'signalWorkflow', { id, body: { step: 'wait', payload: 'yes' } });
    expect(await until(origin, id, 'done')).toMatchObject({ round: 4 });
    expect(await noted(origin, 'first', '1-slow', '2-slow', '3-slow', 'held')).toEqual([true, false, false, true, true]);
  });

  test('are cancelled on their way back, and do not go on from a step that is not there', async () => {
    let undo: 'refuses' | 'waits' | 'opens' = 'refuses';
    const hard: RunStep<Input> = {
      ...noting('hard'),
      undo: async (call, given) => {
        if (undo === 'refuses') refuses();
        await eventually('it is let go', () => undo === 'opens');
        return noting('hard').undo?.(call, given) ?? {};
      },
    };
    const origin = await opening([{ name: 'plain', run: async () => ({}) }, noting('first'), hard, noting('last')]);
    const id = await start(origin);
    await until(origin, id, 'done');
    expect((await retry(origin, id, 'none')).errors).toMatchObject([{ at: 'from', in: 'query' }]);
    expect((await ask(origin, 'retryWorkflow', { id, principal: olga, query: '?step=hard' })).errors).toMatchObject([{ at: 'step' }]);
    expect([(await retry(origin, id, 'hard', otherAdmin)).outcome, (await retry(origin, id, 'none', otherAdmin)).outcome])
      .toEqual(['document_not_found', 'document_not_found']);
    expect((await retry(origin, id, 'hard', ada)).outcome).toBe('forbidden');
    await retry(origin, id, 'hard');
    expect(states(await until(origin, id, 'stuck'))).toEqual(['plain done', 'first done', 'hard stuck', 'last undone']);
    expect((await retry(origin, id, 'last')).detail).toBe('the workflow is stuck, and cannot go on from "last"');
    undo = 'opens';
    expect((await retry(origin, id, 'first')).json).toMatchObject({ state: 'undoing', from: 'first' });
    await until(origin, id, 'done');
    undo = 'waits';
    expect((await retry(origin, id, 'hard')).json).toMatchObject({ state: 'undoing', why: 'retried' });
    await eventually('what came behind it is undone', async () => states(await shown(origin, id)).at(-1) === 'last undone');
    expect((await retry(origin, id, 'first')).outcome).toBe('document_conflict');
    expect((await ask(origin, 'cancelWorkflow', { id })).outcome).toBe('removed');
    expect(await shown(origin, id)).toMatchObject({ state: 'undoing', why: 'cancelled' });
    undo = 'opens';
    expect(states(await until(origin, id, 'undone'))).toEqual(['plain done', 'first undone', 'hard undone', 'last undone']);
    expect(await noted(origin, 'first', 'hard', 'last')).toEqual([false, false, false]);
    // Of what is given up, it goes on from nothing but from where nothing before was.
    expect((await retry(origin, id, 'hard')).outcome).toBe('document_conflict');
    await retry(origin, id, 'first');
    await until(origin, id, 'done');
  });

  test('are followed by whoever may see them, and by nobody else', async () => {
    const origin = await opening([noting('first'), { name: 'wait', signal: z.string(), withinMs: 60_000 }, noting('last')]);
    const id = await start(origin);
    const follow = async (principal: typeof ada) => {
      const stream = new EventStream(await origin.streamBy(workflowOperations.followWorkflow, execute, workflows, { id, principal }));
      opened.push(() => stream.close());
      await stream.heardFrom();
      return stream;
    };
    for (const principal of [bob, otherAdmin, { roles: [], claims: {} }]) await expect(follow(principal)).rejects.toThrow();
    await eventually('it waits', async () => states(await shown(origin, id)).at(-1) === 'wait waiting');
    const streams = [await follow(ada), await follow(olga)];
    // Another one of the same owner is nothing that it tells.
    await start(origin, 'another');
    await ask(origin, 'signalWorkflow', { id, body: { step: 'wait', payload: 'yes' } });
    for (const stream of streams) {
      const told = [];
      do told.push(JSON.parse((await stream.next())?.data ?? '{}')); while (told.at(-1)?.endedAt === undefined);
      // The feed may come to the write by which it waits only now.
      const since = told.filter(({ state }) => state !== 'waiting');
      expect(since.map(({ state, steps }) => [state, steps.length])).toEqual([['running', 3], ['done', 3]]);
      expect(told.at(-1)).toEqual(await shown(origin, id));
    }
  });
});

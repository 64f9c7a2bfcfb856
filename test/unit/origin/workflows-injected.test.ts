/** Workflows in which something goes wrong at every step, in every way, and between any two: nothing of them is left. */
import { expect, test } from 'bun:test';
import type { Given, Step, StepCall } from '../../../origin/workflow-engine/workflow.ts';
import { ask, flow, type Input, noted, notes, quick, refuses, served, shown, start, states, until } from '../../support/asked-workflows.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const title = 'whatever goes wrong at whichever step, or between any two, nothing is left, and the last is undone first, on %s';

test.each([...engines])(title, async (engine) => {
  const names = ['one', 'two', 'three'];
  const ways = ['throws', 'refuses', 'is refused in its commit', 'is cancelled', 'is cancelled before'] as const;
  const undone: string[] = [];
  const inject = async (name: string, call: StepCall, { id, input: { note } }: Given<Input>) => {
    const [at, way] = note.split(':');
    if (at !== name) return;
    if (way === 'throws') throw new Error('no');
    if (way === 'refuses') refuses();
    if (way !== 'is cancelled') return;
    await eventually('it is cancelled', async () => (await ask(origin, 'cancelWorkflow', { id })).outcome === 'removed', { everyMs: 40 });
    await eventually('its attempt hears of it', () => call.signal.aborted);
  };
  const steps = names.flatMap((name): Step<Input>[] => [
    // Its owner cancels it here, between two steps.
    { name: `before-${name}`, until: ({ input: { note } }, nowMs) => nowMs + (note === `${name}:is cancelled before` ? 60_000 : 0) },
    {
      name, backoff: quick, attempts: 2,
      run: async (call, given) => {
        await inject(name, call, given);
        const writes = [call.create(notes, { id: `${given.id} ${name}`, text: name })];
        const isLate = given.input.note === `${name}:is refused in its commit`;
        return { writes: isLate ? [...writes, call.create(notes, { id: 'there', text: 'x' })] : writes };
      },
      undo: async (call, { id, isDone }) => {
        undone.push(`${id} ${name} ${isDone}`);
        return { writes: isDone ? [call.remove(notes, `${id} ${name}`)] : [] };
      },
    },
  ]);
  await using origin = await DirectOrigin.on(engine, served, { workflows: [flow(steps)] });
  await origin.ask('replace', notes, { id: 'there', body: { text: 'x' } });
  const cases = names.flatMap((name, index) => ways.map((way) => ({ index, way, note: `${name}:${way}` })));
  // One after the other, so that a busy machine has none too late; they go on together.
  const begun: ((typeof cases)[number] & { readonly id: string })[] = [];
  for (const each of cases) begun.push({ ...each, id: await start(origin, each.note) });
  await Promise.all(begun.map(async ({ id, index, way, note }) => {
    if (way === 'is cancelled before') {
      const rests = `before-${names[index]} waiting`;
      await eventually('it rests', async () => states(await shown(origin, id)).at(-1) === rests, { everyMs: 40 });
      await eventually('it is cancelled', async () => (await ask(origin, 'cancelWorkflow', { id })).outcome === 'removed', { everyMs: 40 });
    }
    const { why } = await until(origin, id, 'undone');
    expect([note, why]).toEqual([note, way.startsWith('is cancelled') ? 'cancelled' : 'failed']);
    const began = way === 'is cancelled before' ? [] : [`${id} ${names[index]} false`];
    const ended = names.slice(0, index).toReversed().map((name) => `${id} ${name} true`);
    // An undoing whose commit came too late is tried again.
    expect([note, [...new Set(undone.filter((each) => each.startsWith(id)))]]).toEqual([note, [...began, ...ended]]);
    expect(await noted(origin, ...names.map((name) => `${id} ${name}`))).toEqual([false, false, false]);
  }));
  const id = await start(origin, 'none');
  await until(origin, id, 'done');
  expect(await noted(origin, ...names.map((name) => `${id} ${name}`))).toEqual([true, true, true]);
}, 120_000);

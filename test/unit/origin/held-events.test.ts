/** Events at which a hook fails: they hold up their own document alone, wait over restarts, and are given up in the end. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { afterCommit, type AfterCommit } from '../../../origin/after-commit/after-commit.ts';
import type { HoldLimits } from '../../../origin/after-commit/held-events.ts';
import { storedBy } from '../../../origin/stored-resources.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
const posts = resource({ ...named, name: 'posts', schema: z.object({ by: z.string(), text: z.string().optional() }) });
const writers = resource({ ...named, name: 'writers', schema: z.object({ posts: z.int() }) });
const served = contract(posts, writers);
const leaseTimes = { beatMs: 50, silentMsMax: 2_000 };

describe.each([...engines])('on %s', (engine) => {
  let origin: DirectOrigin;
  const begin = async (hook: AfterCommit, holdLimits: HoldLimits) => {
    origin = await DirectOrigin.on(engine, served, { leaseTimes, afterCommits: [hook], holdLimits });
    await eventually('the hook begins', async () => (await origin.context.store.cursor(`hook ${hook.name}`)) !== undefined);
  };
  afterEach(() => origin[Symbol.asyncDispose]());
  const write = (id: string, text: string) => origin.put(posts, id, { by: 'ada', text });
  const countOf = async (id: string) => (await origin.stored(writers, id))?.['posts'];
  const states = async () => await origin.context.services.states();

  test('what fails again and again is given up, kept and told of, and its document goes on', async () => {
    const told: { line: string; eventId: string }[] = [];
    const failing = afterCommit({
      name: 'failing', of: posts, resync: () => [],
      handle({ kind, id, before, after, eventId }) {
        told.push({ line: `${kind} ${id} ${before?.text ?? '-'} ${after?.text ?? '-'}`, eventId });
        if (told.length <= 5) throw new Error('a bug');
        return [];
      },
    });
    const lines = () => told.map(({ line }) => line);
    await begin(failing, { waitingMax: 100, attemptsMax: 5, retryMs: { first: 20, max: 100 } });
    await write('a', 'one');
    await write('a', 'next');
    await eventually('it gets on', () => lines().includes('updated a one next'));
    expect(lines()).toEqual([...Array<string>(5).fill('created a - one'), 'updated a one next']);
    const { eventId = '' } = told[0] ?? {};
    const [heldEvents = posts] = storedBy({ ...served, stored: [] }, { afterCommits: [failing] });
    const dead = await origin.stored(heldEvents, `failing ${eventId}`);
    expect(dead).toMatchObject({ hook: 'failing', eventId, resource: 'posts', document: 'a', state: 'dead', attempts: 5 });
    expect(dead?.['error']).toBe('a bug');
    expect(dead).not.toHaveProperty('images');
    const count = 'events given up: 1 (tombolo_hook_events)';
    await eventually('it is counted', async () => (await states())['hook failing']?.detail === count);
    await origin.restart();
    await eventually('it is counted again', async () => (await states())['hook failing']?.detail === count);
    await write('a', 'last');
    await eventually('its document goes on', () => lines().at(-1) === 'updated a next last');
    expect(told).toHaveLength(7);
  });

  test('what waits is told after a restart, in the order of its document, and its effects are there once', async () => {
    let isBroken = true;
    const orders: string[] = [];
    const fragile = afterCommit({
      name: 'fragile', resync: () => [], of: posts, writes: [writers],
      async handle({ id, after }, call) {
        if (isBroken && id === 'a') throw new Error('away');
        orders.push(`${id} ${after?.text}`);
        const known = await call.get(writers, id);
        if (known === undefined) return [call.create(writers, { id, posts: 1 })];
        return [call.merge(writers, id, ({ posts: count = 0 }) => ({ posts: count + 1 }))];
      },
    });
    await begin(fragile, { waitingMax: 100, attemptsMax: 1_000, retryMs: { first: 20, max: 50 } });
    for (const text of ['1', '2', '3']) await write('a', text);
    await write('b', '1');
    await eventually('the other goes on', async () => (await countOf('b')) === 1);
    await eventually('all of a wait', async () => (await states())['hook fragile']?.detail?.includes('3 events of a document wait'));
    await origin.restart();
    await eventually('they still wait', async () => (await states())['hook fragile']?.detail?.includes('3 events of a document wait'));
    await write('a', '4');
    isBroken = false;
    await eventually('all are told', async () => (await countOf('a')) === 4);
    expect(orders).toEqual(['b 1', 'a 1', 'a 2', 'a 3', 'a 4']);
    await eventually('none waits', async () => (await states())['hook fragile']?.detail === undefined);
  });
});

test('where as many events wait as may, the hook waits with them, and loses none', async () => {
  let isBroken = true;
  const seen = new Set<string>();
  const broken: AfterCommit = afterCommit({
    name: 'broken', of: posts, resync: () => [],
    handle: ({ id }) => {
      if (isBroken) throw new Error('away');
      seen.add(id);
      return [];
    },
  });
  const slow = { waitingMax: 5, attemptsMax: 1_000, retryMs: { first: 500, max: 500 } };
  await using origin = await DirectOrigin.on('sqlite', served, { afterCommits: [broken], holdLimits: slow });
  await eventually('the hook begins', () => origin.context.store.cursor('hook broken'));
  const count = 12;
  const mutations = Array.from({ length: count }, (_, index) => ({
    resource: posts, id: `p${index}`, decide: () => ({ kind: 'put' as const, document: { by: 'ada' } }),
  }));
  await origin.context.store.write(mutations, { deadline: Date.now() + 10_000 });
  const detail = async () => (await origin.context.services.states())['hook broken']?.detail ?? '';
  const full = '5 events of 5 documents wait';
  await eventually('as many wait as may', async () => (await detail()).includes(full));
  expect(await detail()).toContain('does not get on at posts/');
  isBroken = false;
  await eventually('all are told', () => seen.size === count);
});

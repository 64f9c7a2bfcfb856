/** Validators of Tombolo's own that others change behind the back of an origin: a named state that heals (SEMANTICS §15). */
import { expect, test } from 'bun:test';
import type { Document } from 'mongodb';
import * as z from 'zod';
import { planOf } from '../../../origin/store/mongo/install/plan.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { applyIn, targetIn } from './applied.ts';
import { openFaultyPlace } from './faulty-place.ts';
import { inTime, put } from './harness.ts';

const common = {
  name: 'boats', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone }, shapes: { byName: { sort: ['name'] } },
} as const;
const boats = resource({ ...common, schema: z.object({ name: z.string(), masts: z.number().optional() }) });
/** Requires a member more. */
const later = resource({ ...common, schema: z.object({ name: z.string(), masts: z.number().optional(), sail: z.string() }) });
const step = 'boats: validator';
const disposals = disposedAfterEach();

async function open() {
  const warnings: (readonly string[])[] = [];
  const place = await openFaultyPlace({
    resources: [boats], onWarning: (_message, { pending }) => Array.isArray(pending) && warnings.push(pending as readonly string[]),
  });
  disposals.push(() => place[Symbol.asyncDispose]());
  const { foreign, store, server } = place;
  const validation = async (): Promise<Document> => {
    const there = await foreign.listCollections<Document & { readonly name: string }>({ name: 'boats' }).next();
    const { validator, validationLevel, validationAction } = there?.['options'] ?? {};
    return { validator, validationLevel, validationAction };
  };
  return {
    ...place, warnings, validation,
    change: (options: Document) => foreign.command({ collMod: 'boats', ...options }),
    isNamed: () => eventually('it is named', () => store.state().pending.includes(step), { msMax: 15_000 }),
    isNone: () => eventually('it is no step any more', () => store.state().pending.length === 0, { msMax: 15_000 }),
    looks: () => server.history.commands('listCollections').length,
  };
}

async function written(store: Awaited<ReturnType<typeof open>>['store'], id: string) {
  return (await store.write([put(boats, id, { name: 'Fram' })], inTime())).outcomes[0]?.kind;
}

test('one that others take out or change is a pending step in log, state and plan, which the origin leaves, until it is back', async () => {
  const { foreign, store, warnings, validation, change, isNamed, isNone, looks } = await open();
  const ours = await validation();
  await change({ validator: {} });
  await isNamed();
  expect(warnings).toEqual([[step]]);
  expect((await planOf(targetIn(foreign, [boats]))).map(({ name }) => name)).toEqual([step]);
  const before = looks();
  await eventually('it was looked at again', () => looks() > before + 1, { msMax: 15_000 });
  expect([(await validation())['validator'], await written(store, 'a')]).toEqual([{}, 'written']);
  await change(ours);
  await isNone();
  await change({ validator: { name: { $ne: 'Fram' } } });
  await isNamed();
  expect(await written(store, 'b')).toBe('refused');
  await change({ ...ours, validationLevel: 'off' });
  await eventually('the level is looked at, too', () => store.state().pending.length === 2);
  expect(await written(store, 'b')).toBe('written');
  await applyIn(foreign, [boats]);
  await isNone();
  expect(await validation()).toEqual(ours);
  expect(warnings).toEqual([[step], [], [step], [step, 'boats: narrower validator'], []]);
}, 60_000);

test('one that a later version narrowed by apply is nothing that an earlier one, which still runs, complains of', async () => {
  const { foreign, store, warnings, validation, looks } = await open();
  await applyIn(foreign, [later]);
  const narrowed = await validation();
  const before = looks();
  await eventually('it was looked at', () => looks() > before + 1, { msMax: 30_000 });
  expect([store.state().pending, warnings, await validation()]).toEqual([[], [], narrowed]);
}, 60_000);

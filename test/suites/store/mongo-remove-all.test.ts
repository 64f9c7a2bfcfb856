/** Tombolo taken out of a database: what others made is byte for byte as it was found (SEMANTICS §15). */
import { join } from 'node:path';
import { afterEach, expect, test } from 'bun:test';
import type { Db } from 'mongodb';
import * as z from 'zod';
import { toBuildTime } from '../../../origin/store/mongo/install/build-time.ts';
import { applyPlan, planOf } from '../../../origin/store/mongo/install/plan.ts';
import { removeAll, wholeRemovalOf } from '../../../origin/store/mongo/install/remove-all.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { fillDefaults } from '../../../origin/store/mongo/write/fill-defaults.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { fillShop, wholeOf } from '../../support/foreign-shop.ts';
import { type ControlledDatabase, openControlledDatabase } from '../../support/mongo-database.ts';
import { inTime, put } from './harness.ts';

const common = { id: 'objectId', rules: { read: anyone, write: anyone } } as const;
const boats = resource({
  ...common, name: 'boats', schema: z.object({ name: z.string(), port: z.string().optional() }),
  shapes: { byName: { sort: ['name'] }, ofPort: { equal: ['port'], sort: ['name'] } },
});
/** The same, as a later version may have it. */
const manned = resource({
  ...common, name: 'boats', shapes: { byName: { sort: ['name'] }, ofPort: { equal: ['port'], sort: ['name'] } },
  schema: z.object({
    name: z.string(), port: z.string().optional(), crew: z.array(z.string()).default(['\u00e9$a']),
    tag: z.uuid().default(() => crypto.randomUUID()),
  }),
});
/** The one that keeps images already, of their own accord. */
const reviews = resource({ ...common, name: 'reviews', schema: z.object({ stars: z.number() }), shapes: { byStars: { sort: ['stars'] } } });
const rafts = resource({ ...common, name: 'rafts', schema: z.object({ name: z.string() }), shapes: { all: {} } });
const resources = [boats, reviews, rafts];

let database: ControlledDatabase | undefined;
afterEach(async () => {
  await database?.remove();
  database = undefined;
});

/** A shop and a harbour of others; `rafts` is not there, and will be Tombolo's own. */
async function openHarbour(): Promise<{ uri: string; foreign: Db; before: string; server: ControlledDatabase['server'] }> {
  database = await openControlledDatabase();
  const { uri, foreign, server } = database;
  await fillShop(foreign);
  await foreign.createCollection('boats', { validator: { name: { $type: 'string' } }, validationLevel: 'strict' });
  await foreign.collection('boats').createIndex({ port: -1 }, { name: 'theirs' });
  await foreign.collection('boats').insertMany(Array.from({ length: 50 }, (_, n) => ({ name: `b${n}`, odd: [n] })));
  return { uri, foreign, server, before: await wholeOf(foreign) };
}

const targetOf = (foreign: Db) => ({
  database: foreign, resources, deployment: 'replica set' as const, patiently: (use: (patient: Db) => Promise<void>) => use(foreign),
});
const apply = (foreign: Db) => applyPlan(targetOf(foreign), 'e'.repeat(16), () => undefined);
const removal = (foreign: Db, withData = false) => wholeRemovalOf({ database: foreign, resources, withData });
const takeOut = async (foreign: Db, withData = false) => removeAll(foreign, await removal(foreign, withData));

/** Installs, serves and writes to what is Tombolo's own. */
async function useIt(uri: string, foreign: Db): Promise<void> {
  await apply(foreign);
  const store = await openMongoStore({ uri, resources });
  await store.write([put(rafts, '0'.repeat(24), { name: 'Ra' })], inTime());
  expect((await store.list(boats, {
    equal: {}, range: undefined, sort: [{ field: 'name', descending: false }, { field: 'id', descending: false }], where: true,
    after: undefined, limit: 1,
  }, inTime())).value).toHaveLength(1);
  await store.close();
}

test('with its data, nothing is left of it, and what others made is byte for byte as it was', async () => {
  const { uri, foreign, before } = await openHarbour();
  await useIt(uri, foreign);
  expect(await wholeOf(foreign)).not.toBe(before);
  await takeOut(foreign, true);
  expect(await wholeOf(foreign)).toBe(before);
});

test('without, what it owns is named and kept whole, and everything else is as it was', async () => {
  const { uri, foreign, before } = await openHarbour();
  await useIt(uri, foreign);
  const kept = await foreign.collection('rafts').find().toArray();
  expect((await removal(foreign)).kept).toEqual(['rafts']);
  await takeOut(foreign);
  expect(await foreign.collection('rafts').find().toArray()).toEqual(kept);
  // Nobody's own list is left: it is a collection of others from here on.
  expect(await removal(foreign)).toMatchObject({ added: new Map(), drops: [], kept: [] });
  const store = await openMongoStore({ uri, resources });
  expect(store.state().adopted).toContain('rafts');
  await store.close();
  await foreign.collection('rafts').drop();
  expect(await wholeOf(foreign)).toBe(before);
});

test('what is cut short goes on where it was, and two at once do no harm', async () => {
  const { uri, foreign, before, server } = await openHarbour();
  await useIt(uri, foreign);
  server.failPoint('failCommand', { skip: 1 }, { failCommands: ['drop'], errorCode: 11_601 });
  await expect(takeOut(foreign, true)).rejects.toThrow();
  server.failPoint('failCommand', 'off', {});
  expect((await foreign.listCollections({ name: 'tombolo_meta' }).toArray())).toHaveLength(1);
  await Promise.all([takeOut(foreign, true), takeOut(foreign, true)]);
  expect(await wholeOf(foreign)).toBe(before);
});

test('a database in which it never was is left alone', async () => {
  const { foreign, before } = await openHarbour();
  expect(await removal(foreign, true)).toMatchObject({ added: new Map(), drops: [], kept: [] });
  await takeOut(foreign, true);
  expect(await wholeOf(foreign)).toBe(before);
});

test('what was made by hand is named with its undo, and what apply made and filled in is taken out, where nobody wrote since', async () => {
  const { foreign, before } = await openHarbour();
  const target = { ...targetOf(foreign), resources: [manned, reviews, rafts] };
  const byHand = (await planOf(target)).filter(({ name }) => name === 'boats: index name,id' || name === 'boats: images');
  expect(byHand).toHaveLength(2);
  for (const { command } of byHand) await foreign.command(command);
  await applyPlan(target, 'e'.repeat(16), () => undefined);
  await foreign.collection('boats').updateMany({ name: { $in: ['b7', 'b8'] } }, { $set: { crew: ['theirs'] } });
  await fillDefaults(foreign, manned);
  await foreign.collection('boats').updateMany({ name: 'b1' }, { $set: { crew: ['ours'] } });
  const plan = await wholeRemovalOf({ database: foreign, resources: target.resources, withData: true });
  const left = plan.left.filter(({ collection }) => collection === 'boats');
  expect(left.map(({ what }) => what)).toEqual([
    expect.stringContaining('the index name,id is as the plan has it'), expect.stringContaining('images'),
  ]);
  const toCounts = ({ path, documents, changed, gone }: (typeof plan.filled)[number]) => [path, documents, changed.count, gone];
  expect(plan.filled.map(toCounts)).toEqual([['crew', 47, 1, 0], ['tag', 50, 0, 0]]);
  expect((await removeAll(foreign, plan)).map(toCounts)).toEqual([['crew', 47, 1, 0], ['tag', 50, 0, 0]]);
  const seen = (await foreign.collection('boats').listIndexes().toArray()).map(({ name }) => name);
  expect(seen).toEqual(['_id_', 'theirs', 'name,id']);
  const names = (filter: object) => foreign.collection('boats').distinct('name', filter);
  expect([await names({ crew: { $exists: true } }), await names({ tag: { $exists: true } })]).toEqual([['b1', 'b7', 'b8'], []]);
  for (const { undo } of left) await foreign.command(undo);
  await foreign.collection('boats').updateMany({ name: { $in: ['b1', 'b7', 'b8'] } }, { $unset: { crew: '' } });
  expect(await wholeOf(foreign)).toBe(before);
});

test('a fill whose note is refused has filled in nothing', async () => {
  const { foreign, server } = await openHarbour();
  await foreign.createCollection('tombolo_filled');
  const before = await wholeOf(foreign);
  server.failPoint('failCommand', 'alwaysOn', { failCommands: ['insert'], errorCode: 13 });
  await expect(fillDefaults(foreign, manned)).rejects.toThrow();
  server.failPoint('failCommand', 'off', {});
  expect(await wholeOf(foreign)).toBe(before);
});

test('the commands print what they do, do it, and refuse what makes no sense', async () => {
  const { uri, foreign, before } = await openHarbour();
  const run = async (...more: readonly string[]) => {
    const child = Bun.spawn([process.execPath, 'origin/database/plan.ts', ...more], {
      cwd: join(import.meta.dir, '../../..'), env: { ...process.env, MONGODB_URI: uri }, stdout: 'pipe', stderr: 'pipe',
    });
    return { text: (await new Response(child.stdout).text()).trim(), code: await child.exited };
  };
  expect(await run('--remove-all')).toMatchObject({ code: 0, text: expect.stringContaining('nothing of Tombolo\'s') });
  expect((await run('--apply')).code).toBe(0);
  const planned = (await run('--remove-all', '--with-data')).text.split('\n');
  expect(planned[0]).toContain('stop every one before');
  expect(planned).toContain('// taken out of orders: status, filled into 1 documents, of each where it is still what was filled in');
  expect((await run('--remove-all')).text).toContain('kept, being Tombolo\'s own with all that is in them: films, places');
  const { commands } = JSON.parse((await run('--remove-all', '--with-data', '--json')).text) as { readonly commands: readonly unknown[] };
  const toldOnly = planned.filter((line) => line.startsWith('//'));
  expect(commands).toHaveLength(planned.length - toldOnly.length);
  for (const wrong of [['--with-data'], ['--remove-all', '--remove', 'orders']]) expect((await run(...wrong)).code).toBe(64);
  expect(await run('--apply', '--remove-all', '--with-data')).toEqual({ code: 0, text: planned.join('\n') });
  expect(await wholeOf(foreign)).toBe(before);
}, 60_000);

test('a plan says how long each index takes, by documents and bytes, and how it is guessed', async () => {
  const { uri, foreign } = await openHarbour();
  const steps = await planOf(targetOf(foreign));
  for (const { name, command, time } of steps) expect([name, time !== undefined]).toEqual([name, 'createIndexes' in command]);
  expect(steps.find(({ name }) => name === 'boats: index name,id')?.time).toEqual({ secondsLeast: 1, secondsMost: 1 });
  expect(toBuildTime(0, 0)).toEqual({ secondsLeast: 0, secondsMost: 0 });
  expect(toBuildTime(100_000_000, 50_000_000_000)).toEqual({ secondsLeast: 300, secondsMost: 3_000 });
  const child = Bun.spawn([process.execPath, 'origin/database/plan.ts'], {
    cwd: join(import.meta.dir, '../../..'), env: { ...process.env, MONGODB_URI: uri }, stdout: 'pipe', stderr: 'pipe',
  });
  expect(await new Response(child.stdout).text()).toMatch(/cost +documents that are read: \d+.*; \d+ s, at 50000 to/);
});

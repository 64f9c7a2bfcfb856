/** Images of changes that others turn off behind the back: a named state that heals, and no change is lost meanwhile (SEMANTICS §15). */
import { expect, test } from 'bun:test';
import type { Db } from 'mongodb';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { applyIn } from './applied.ts';
import { read } from './read-changes.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string() }),
  rules: { read: anyone, write: anyone }, shapes: { byName: { sort: ['name'] } },
});
const disposals = disposedAfterEach();

async function open(isAdopted: boolean) {
  const { uri, foreign, remove } = await openControlledDatabase();
  disposals.push(remove);
  const collection = foreign.collection<{ _id: string; name: string }>('boats');
  if (isAdopted) await collection.insertOne({ _id: 'fram', name: 'Fram' });
  if (isAdopted) await applyIn(foreign, [boats]);
  const store = await openMongoStore({ uri, resources: [boats] });
  disposals.push(() => store.close());
  if (!isAdopted) await collection.insertOne({ _id: 'fram', name: 'Fram' });
  expect([store.state().adopted?.has('boats'), store.state().pending]).toEqual([isAdopted, []]);
  const reader = read(store, await store.head());
  const told = async (name: string) => {
    await collection.updateOne({ _id: 'fram' }, { $set: { name } });
    const [change] = (await reader.nextChanges()).changes;
    return change?.kind === 'document' ? [change.before?.['name'], change.after?.['name']] : [];
  };
  return { foreign, store, told };
}

function turn(foreign: Db, enabled: boolean) {
  return foreign.command({ collMod: 'boats', changeStreamPreAndPostImages: { enabled } });
}

test('of a collection of others they are a pending step from the first change without one, until they are back', async () => {
  const { foreign, store, told } = await open(true);
  expect(await told('Gjøa')).toEqual(['Fram', 'Gjøa']);
  await turn(foreign, false);
  expect((await told('Maud'))[0]).toBeUndefined();
  await eventually('it is named', () => store.state().pending.includes('boats: images'));
  await turn(foreign, true);
  await eventually('it is no step any more', () => store.state().pending.length === 0);
  expect(await told('Gauss')).toEqual(['Maud', 'Gauss']);
}, 30_000);

test('of a collection of those that Tombolo owns they are turned on again', async () => {
  const { foreign, told } = await open(false);
  expect(await told('Gjøa')).toEqual(['Fram', 'Gjøa']);
  await turn(foreign, false);
  expect((await told('Maud'))[0]).toBeUndefined();
  await eventually('they are on', async () => {
    const boatsThere = await foreign.listCollections({ name: 'boats', 'options.changeStreamPreAndPostImages.enabled': true }).toArray();
    return boatsThere.length > 0;
  });
  expect(await told('Gauss')).toEqual(['Maud', 'Gauss']);
}, 30_000);

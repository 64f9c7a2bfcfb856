/** Declared defaults filled in and taken out again by both kinds of MongoDB server, of which a standalone has no transactions. */
import { afterEach, describe, expect, test } from 'bun:test';
import { type Db, Long } from 'mongodb';
import * as z from 'zod';
import { fillDefaults } from '../../../origin/store/mongo/write/fill-defaults.ts';
import { filledIn, undoFill } from '../../../origin/store/mongo/write/undo-fill.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { integer } from '../../../shared/contract/types.ts';
import { eventually } from '../../support/eventually.ts';
import { type ControlledPlace, openMongoPlace } from './mongo-place.ts';

const common = {
  name: 'boats', id: { kind: 'string', format: z.string() }, shapes: { byName: { sort: ['name'] } }, cache: 'none', rules: { read: anyone },
} as const;
const schema = z.object({ name: z.string() });
const bare = resource({ ...common, schema });
const manned = resource({ ...common, schema: schema.extend({ masts: integer().default(3) }) });

let place: ControlledPlace | undefined;
afterEach(async () => {
  await place?.remove();
  place = undefined;
});

async function open(mongod: { readonly standalone?: true }): Promise<ControlledPlace> {
  return (place = await openMongoPlace({ resources: [bare], mongod }));
}

function add(foreign: Db, ...ids: readonly string[]) {
  return foreign.collection<{ _id: string; name: string }>('boats').insertMany(ids.map((_id) => ({ _id, name: `the ${_id}` })));
}

const deployments = [['a standalone', { standalone: true }], ['a replica set', {}]] as const;

describe.each(deployments)('a default that is filled in on %s', (_, mongod) => {
  const isBoats = (collection: string) => collection === 'boats';
  const countsOf = async (found: ReturnType<typeof filledIn>) =>
    (await found).map(({ path, documents, changed, gone, refused }) => [path, documents, changed.count, gone, refused.count]);
  const manyIds = Array.from({ length: 150 }, (_, index) => `b${String(index).padStart(3, '0')}`);
  const bytesOf = async ({ foreign }: ControlledPlace) => {
    const raw = await foreign.collection('boats').find({}, { raw: true, sort: { _id: 1 } }).toArray();
    return raw.map((each) => Buffer.from(each as unknown as Uint8Array).toString('hex'));
  };

  test('is noted before, and taken out where it is still that, byte for byte', async () => {
    const at = await open(mongod);
    await add(at.foreign, ...manyIds);
    const found = await bytesOf(at);
    expect(await fillDefaults(at.foreign, manned)).toMatchObject({ documents: 150, refused: { count: 0 } });
    await at.foreign.collection('boats').updateOne({ name: 'the b007' }, { $set: { masts: new Long(3) } });
    await at.foreign.collection('boats').updateOne({ name: 'the b008' }, { $set: { name: 'x' } });
    const [foreseen] = await filledIn(at.foreign, isBoats);
    expect(foreseen?.changed).toEqual({ count: 1, examples: ['b007'] });
    expect(await countsOf(undoFill(at.foreign, isBoats))).toEqual([['masts', 149, 1, 0, 0]]);
    await at.foreign.collection('boats').updateOne({ name: 'the b007' }, { $unset: { masts: '' } });
    await at.foreign.collection('boats').updateOne({ name: 'x' }, { $set: { name: 'the b008' } });
    expect(await bytesOf(at)).toEqual(found);
    expect(await countsOf(filledIn(at.foreign, isBoats))).toEqual([]);
  });

  test('and cut short anywhere, in either direction, is told by its notes and goes on', async () => {
    const at = await open(mongod);
    await add(at.foreign, ...manyIds);
    const found = await bytesOf(at);
    const boats = at.foreign.collection('boats');
    const fail = (skip: number) =>
      at.server.failPoint('failCommand', { skip }, { failCommands: ['update'], namespace: boats.namespace, errorCode: 11_601 });
    const masts = () => at.foreign.collection('boats').countDocuments({ masts: 3 });
    fail(130);
    await expect(fillDefaults(at.foreign, manned)).rejects.toThrow();
    at.server.failPoint('failCommand', 'off', {});
    expect(await countsOf(filledIn(at.foreign, isBoats))).toEqual([['masts', await masts(), 0, 150 - (await masts()), 0]]);
    const filled = await masts();
    expect(await fillDefaults(at.foreign, manned)).toMatchObject({ documents: 150 - filled });
    expect(await countsOf(filledIn(at.foreign, isBoats))).toEqual([['masts', 150, 0, 0, 0]]);
    fail(130);
    await expect(undoFill(at.foreign, isBoats)).rejects.toThrow();
    at.server.failPoint('failCommand', 'off', {});
    const left = await masts();
    expect([left > 0, left < 150]).toEqual([true, true]);
    expect((await countsOf(filledIn(at.foreign, isBoats)))[0]?.slice(0, 3)).toEqual(['masts', left, 0]);
    await Promise.all([undoFill(at.foreign, isBoats), undoFill(at.foreign, isBoats)]);
    expect([await bytesOf(at), await countsOf(filledIn(at.foreign, isBoats))]).toEqual([found, []]);
  });

  test('and what others set before the fill came to it was never filled in', async () => {
    const at = await open(mongod);
    await add(at.foreign, 'fram', 'maud');
    // The note is written, and they are quicker than the update.
    const namespace = `${at.foreign.databaseName}.tombolo_filled`;
    at.server.failPoint('failCommand', { times: 1 }, { failCommands: ['insert'], namespace, blockConnection: true, blockTimeMS: 300 });
    const looked = at.server.history.commands('find').length;
    const filling = fillDefaults(at.foreign, manned);
    await eventually('it has found what lacks it', () => at.server.history.commands('find').length >= looked + 3);
    await at.foreign.collection('boats').updateOne({ name: 'the fram' }, { $set: { masts: 3 } });
    expect(await filling).toMatchObject({ documents: 1 });
    expect(await countsOf(undoFill(at.foreign, isBoats))).toEqual([['masts', 1, 0, 0, 0]]);
    expect(await at.foreign.collection('boats').distinct('name', { masts: 3 })).toEqual(['the fram']);
  });

  test('stays noted where a validator of others keeps it in, and goes when that is gone', async () => {
    const at = await open(mongod);
    await add(at.foreign, 'fram', 'maud');
    await fillDefaults(at.foreign, manned);
    await at.foreign.command({ collMod: 'boats', validator: { $or: [{ masts: { $exists: true } }, { name: 'the maud' }] } });
    expect(await countsOf(undoFill(at.foreign, isBoats))).toEqual([['masts', 1, 0, 0, 1]]);
    expect(await countsOf(filledIn(at.foreign, isBoats))).toEqual([['masts', 1, 0, 0, 0]]);
    await at.foreign.command({ collMod: 'boats', validator: {} });
    expect(await countsOf(undoFill(at.foreign, isBoats))).toEqual([['masts', 1, 0, 0, 0]]);
    expect(await at.foreign.collection('boats').countDocuments({ masts: 3 })).toBe(0);
  });
});

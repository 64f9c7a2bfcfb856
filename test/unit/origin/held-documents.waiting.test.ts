/**
 * What a killed program holds in an open transaction. The server ends that by itself, 60 s after it began unless set otherwise;
 * a killed process of Tombolo's has it ended by whoever meets it.
 */
import { expect, test } from 'bun:test';
import { type ClientSession, MongoClient } from 'mongodb';
import * as z from 'zod';
import { toClient } from '../../../origin/store/mongo/connection/client.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openFaultyPlace } from '../../suites/store/faulty-place.ts';
import { eventually } from '../../support/eventually.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ masts: z.number() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

test('another program’s is read, and written when the server lets go of it; others do not wait', async () => {
  await using place = await openFaultyPlace({ resources: [boats], mongod: {} });
  await using origin = await Pipeline.open({ MONGODB_URI: place.uri }, contract(boats));
  for (const id of ['fram', 'maud', 'gjoa']) await origin.put(boats, id, { masts: 3 });
  const killed = new MongoClient(place.uri);
  const session = killed.startSession();
  session.startTransaction();
  await killed.db().collection<{ _id: string }>('boats').updateOne({ _id: 'fram' }, { $set: { masts: 9 } }, { session });
  const patch = (id: string, headers = {}) => origin.ask(`/v1/boats/${id}`, { method: 'PATCH', body: '{"masts":4}', headers });
  const patient = { 'tombolo-deadline': '3000' };
  let isHeld = true;
  const held = patch('fram', patient).finally(() => (isHeld = false));
  for (const ids of [['fram', 'maud', 'gjoa', 'maud'], ['maud', 'fram'], ['gjoa']]) {
    const others = ids.filter((id) => id !== 'fram').map((id) => patch(id, patient));
    if (ids.includes('fram')) void patch('fram', patient);
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual(others.map(() => 200));
  }
  expect(isHeld).toBe(true);
  expect((await origin.ask('/v1/boats/fram')).json).toMatchObject({ masts: 3 });
  const { status, json } = await held;
  expect([status, json['code']]).toEqual([504, 'deadline_exceeded']);
  place.server.transactionLifetimeMsMax = 1;
  await eventually('it is let go', async () => (await patch('fram')).status === 200);
  await killed.close(true);
}, 60_000);

test('Tombolo’s is ended by the next who writes there, a living one’s is not, and neither is what another program holds', async () => {
  // Rights to its documents alone: what is one's own is seen and ended without any other.
  const database = await openControlledDatabase({ auth: { user: 'ada', password: 'secret', roles } });
  await using _ = { [Symbol.asyncDispose]: database.remove };
  const uri = database.server.uri.replace('/?', '/shop?authSource=admin&');
  await using origin = await Pipeline.open({ MONGODB_URI: uri }, contract(boats));
  for (const id of ['fram', 'maud', 'gjoa']) await origin.put(boats, id, { masts: 3 });
  await using killed = toClient(uri);
  await using other = new MongoClient(uri, { appName: 'tombolo' });
  const [left, living] = [await opened(killed, 'fram'), await opened(killed, 'maud')];
  await opened(other, 'gjoa');
  let isLiving = true;
  const goesOn = (async () => {
    for (; isLiving; await Bun.sleep(100)) await boatsOf(killed).findOne({ _id: 'maud' }, { session: living });
    await living.commitTransaction();
  })();
  const patch = async (id: string, ms: number) =>
    (await origin.ask(`/v1/boats/${id}`, { method: 'PATCH', body: '{"masts":4}', headers: { 'tombolo-deadline': `${ms}` } })).status;
  expect(await Promise.all([patch('fram', 10_000), patch('maud', 5_000), patch('gjoa', 5_000)])).toEqual([200, 504, 504]);
  isLiving = false;
  await goesOn;
  await expect(left.commitTransaction()).rejects.toMatchObject({ codeName: 'NoSuchTransaction' });
  expect((await origin.ask('/v1/boats/maud')).json).toMatchObject({ masts: 9 });
}, 60_000);

const roles = ['readWrite', 'dbAdmin'].map((role) => ({ role: role as 'readWrite' | 'dbAdmin', db: 'shop' }));
const boatsOf = (client: MongoClient) => client.db().collection<{ _id: string }>('boats');

async function opened(client: MongoClient, id: string): Promise<ClientSession> {
  const session = client.startSession();
  session.startTransaction();
  await boatsOf(client).updateOne({ _id: id }, { $set: { masts: 9 } }, { session });
  return session;
}

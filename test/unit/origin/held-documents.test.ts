/** What a killed program holds in an open transaction. The server ends that by itself, 60 s after it began unless set otherwise. */
import { expect, test } from 'bun:test';
import { MongoClient } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openFaultyPlace } from '../../suites/store/faulty-place.ts';
import { eventually } from '../../support/eventually.ts';
import { Pipeline } from '../../support/pipeline.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ masts: z.number() }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

test('it is read, and written when the server lets go of it; others do not wait', async () => {
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

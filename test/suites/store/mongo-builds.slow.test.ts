/** Index builds that take longer than a socket may be silent. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';

const boats = resource({
  name: 'boats', id: 'objectId', schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { byName: { sort: ['name'] } },
});

test('a build of 17 seconds does not fail the start that waits for it', async () => {
  const { server, uri, foreign, remove } = await openControlledDatabase();
  const slow = { failCommands: ['createIndexes'], appName: 'tombolo', blockConnection: true, blockTimeMS: 17_000 };
  server.failPoint('failCommand', { times: 1 }, slow);
  const store = await openMongoStore({ uri, resources: [boats] });
  expect(store.state().pending).toEqual([]);
  expect((await foreign.collection('boats').indexes()).map(({ name }) => name)).toContain('name,id');
  await store.close();
  await remove();
}, 60_000);

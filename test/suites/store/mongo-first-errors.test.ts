/** What a person meets first: each says what is the matter and what to do, and nothing is written. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { mustServe } from '../../../origin/store/mongo/connection/server-checks.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { startMongod } from '../../mongod/mongod.ts';
import { freePort } from '../../support/free-port.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});
const refusalOf = (uri: string) =>
  openMongoStore({ uri, resources: [boats] }).then(() => 'opened', (error: Error) => `${error.name}: ${error.message}`);

test('a wrong password, and none', async () => {
  const server = await startMongod({ auth: { user: 'ada', password: 'secret' } });
  const uri = server.uri.replace('/?', '/shop?authSource=admin&');
  expect(await refusalOf(uri.replace('secret', 'sesame'))).toMatch(/^StoreNotReady: .*\n.*refuses the user or the password.*authSource/);
  expect(await refusalOf(uri.replace('ada:secret@', ''))).toMatch(/^StoreNotReady: .*\n.*names no user/);
  expect(server.history.commands('create')).toEqual([]);
  await server.close();
});

test('TLS against a server without it', async () => {
  const { uri, remove } = await openControlledDatabase();
  const asking = `${uri}${uri.includes('?') ? '&' : '?'}tls=true`;
  expect(await refusalOf(asking)).toMatch(/^StoreNotReady: .*\n.*no primary answered.*does the server speak TLS/);
  await remove();
}, 20_000);

test('a name that no host has', async () => {
  expect(await refusalOf('mongodb://db.example.invalid/shop')).toMatch(/^StoreNotReady: .*\n.*no host has the name/);
});

test('a router of a cluster, and a set that has not begun', async () => {
  const { foreign, remove } = await openControlledDatabase();
  const told = (hello: object) => {
    const pretending = new Proxy(foreign, {
      get: (database, name) => name !== 'command' ? Reflect.get(database, name) : async (command: object) =>
        'hello' in command ? { localTime: new Date(), ...hello } : database.command(command),
    });
    return mustServe(pretending, [boats], { clock: Date.now, doing: () => 'makes' }).then(() => 'served', (error: Error) => error.message);
  };
  expect(await told({ msg: 'isdbgrid' })).toContain('names a mongos');
  expect(await told({ isreplicaset: true })).toContain('run rs.initiate()');
  await remove();
});

test('a database that is away when an origin starts is waited for', async () => {
  const port = freePort();
  const warnings: string[] = [];
  const begin = Promise.withResolvers<void>();
  const opening = openMongoStore({
    uri: `mongodb://127.0.0.1:${port}/shop?directConnection=true`, resources: [boats], awayMsMax: 30_000,
    onWarning: (message) => { warnings.push(message); begin.resolve(); },
  });
  await begin.promise;
  const server = await startMongod({ port });
  const store = await opening;
  expect(warnings).toContain('the database is away, and is waited for');
  await store.close();
  await server.close();
}, 40_000);

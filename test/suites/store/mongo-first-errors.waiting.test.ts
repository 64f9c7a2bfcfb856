/** What a person meets first: each says what is the matter and what to do, and nothing is written. */
import { join } from 'node:path';
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { Services } from '../../../origin/services/services.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { startMongod } from '../../mongod/mongod.ts';
import { freePort } from '../../support/free-port.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { inTime, put, reasonOf } from './harness.ts';
import { startWithRoles } from './mongo-place.ts';

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});
/** Made for this test, and valid for a hundred years. */
const untrusted = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4shj2KbFt3WTbVH1
SzsCAKrrawTAQFHkIDH1OTSE48ShRANCAAS33MrVzfYYYSMyTxa9MRXutYZNQoFS
6g+Fo2x/eExFAx5IcBgxMDbkJ4gnxn47ltsypSKSl85IVwFoYP6YAf/m
-----END PRIVATE KEY-----`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBjDCCATGgAwIBAgIUFlqX1td3ylQ1aosRA2k7dVtx9E0wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZGIuZXhhbXBsZS50ZXN0MCAXDTI2MTEyODE5NDQxMFoYDzIx
MjYxMTA0MTk0NDEwWjAaMRgwFgYDVQQDDA9kYi5leGFtcGxlLnRlc3QwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAAS33MrVzfYYYSMyTxa9MRXutYZNQoFS6g+Fo2x/
eExFAx5IcBgxMDbkJ4gnxn47ltsypSKSl85IVwFoYP6YAf/mo1MwUTAdBgNVHQ4E
FgQUZ0S6azeo3ZCOL8z7cNdc3oi/vHowHwYDVR0jBBgwFoAUZ0S6azeo3ZCOL8z7
cNdc3oi/vHowDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNJADBGAiEAtbtF
Nw57m57fpHvKJ/aZnl7Av30oOAJ2/BsA2fm/j4YCIQCRn/HiNBdpkyPqKcEtIk9K
7knTRthoFTpSdivWDiRCpw==
-----END CERTIFICATE-----`,
};
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
}, 60_000);

test.each([
  ['a handshake that the server breaks off, as Atlas does', undefined, /broke the TLS handshake off.*Network Access/],
  ['a certificate that nobody signed', untrusted, /TLS could not be agreed \(self.signed certificate\).*tlsCAFile/],
])('%s', async (_title, tls, said) => {
  // The alert internal_error (RFC 8446 §6), in place of a handshake.
  const alert = new Uint8Array([21, 3, 3, 0, 2, 2, 80]);
  const socket = { data: (from: { end(bytes: Uint8Array): unknown }) => void from.end(alert) };
  const server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket, ...(tls === undefined ? {} : { tls }) });
  expect(await refusalOf(`mongodb://127.0.0.1:${server.port}/shop?tls=true`)).toMatch(said);
  server.stop(true);
});

test('a name that no host has', async () => {
  expect(await refusalOf('mongodb://db.example.invalid/shop')).toMatch(/^StoreNotReady: .*\n.*no host has the name/);
});

test('an SRV record that is not there', async () => {
  expect(await refusalOf('mongodb+srv://db.example.invalid/shop')).toMatch(/^StoreNotReady: .*\n.*no SRV record for the host/);
});

test.each([
  ['a file that is not there', 'mongodb://127.0.0.1:1/shop?tls=true&tlsCAFile=/nowhere/ca.pem', 'names cannot be read'],
  ['Amazon DocumentDB', 'mongodb://ada:pw@x.y.eu-west-1.docdb.amazonaws.com:27017/?tls=true&retryWrites=false', 'this is Amazon Doc'],
  ['Cosmos DB by requests', 'mongodb://ada:pw@ada.mongo.cosmos.azure.com:10255/?ssl=true&retrywrites=false', 'this is Azure Cosmos DB'],
  ['Cosmos DB by cores', 'mongodb+srv://ada:pw@ada.global.mongocluster.cosmos.azure.com/?tls=true', 'this is Azure Cosmos DB'],
  ['Firestore', 'mongodb://ada:pw@u.nam5.firestore.goog:443/db?loadBalanced=true&tls=true', 'this is Google Firestore'],
])('%s, before anybody is asked', async (_title, uri, said) => {
  const refusal = await refusalOf(uri);
  expect(refusal).toStartWith('StoreNotReady: ');
  expect(refusal).toContain(said);
  expect(refusal).not.toContain('    at ');
});

const noMember = { setName: undefined, hosts: undefined, me: undefined, primary: undefined, setVersion: undefined, secondary: undefined };

test.each([
  ['a router of a cluster', { hello: { ...noMember, msg: 'isdbgrid' } }, /names a mongos/],
  ['a set that has not begun', { hello: { ...noMember, isreplicaset: true } }, /run rs\.initiate\(\)/],
  ['a standalone', { hello: noMember }, /no member of a replica set.*boats: is written, cached.*start mongod with --replSet/],
  ['DocumentDB behind a tunnel', { hello: { me: 'a.cluster-x.docdb.amazonaws.com:27017' } }, /this is Amazon DocumentDB/],
  ['Cosmos DB behind another name', { buildInfo: { _t: 'BuildInfoResponse', version: '7.0.0' } }, /this is Azure Cosmos DB/],
  ['Cosmos DB by its set', { hello: { setName: 'globaldb' } }, /this is Azure Cosmos DB/],
  ['FerretDB', { buildInfo: { ferretdb: { version: 'v2.0.0' }, version: '7.0.77' } }, /this is FerretDB/],
  ['an old FerretDB', { hello: noMember, buildInfo: { ferretdbVersion: 'v1.24.0' } }, /this is FerretDB/],
  ['a server before 7.0', { buildInfo: { version: '6.0.14' } }, /is MongoDB 6\.0\.14; the change feed needs 7\.0/],
  ['a server that the driver does not speak with', { hello: { maxWireVersion: 6 } }, /too old for the driver.*MongoDB 7\.0 or newer/],
] as const)('%s', async (_title, says, said) => {
  const server = await startMongod({ says });
  const uri = `${server.uri.replace(/\/\?.*$/, '')}/shop?directConnection=true`;
  const refusal = await refusalOf(uri);
  expect(refusal).toStartWith('StoreNotReady: ');
  expect(refusal).toMatch(said);
  expect(refusal.split('\n')).toHaveLength(2);
  expect(server.history.commands('create')).toEqual([]);
  await server.close();
});

test.each([
  ['a login', 'ada@', '&authMechanism=GSSAPI'],
  ['a way to compress', '', '&compressors=snappy'],
])('%s that needs another package', async (_title, user, option) => {
  const server = await startMongod({ says: { hello: { compression: ['snappy'] } } });
  const uri = server.uri.replace('mongodb://', `mongodb://${user}`).replace('/?', '/shop?') + option;
  expect(await refusalOf(uri)).toMatch(/^StoreNotReady: .*\n.*needs another package/);
  await server.close();
});

test('a set of another name', async () => {
  const server = await startMongod({ setName: 'rs7' });
  expect(await refusalOf(server.uri.replace('/?replicaSet=rs7', '/shop?replicaSet=rs0'))).toContain('is rs0 the name of its replica set');
  await server.close();
});

test('npm run plan tells the same, and no stack', async () => {
  const server = await startMongod({ auth: { user: 'ada', password: 'secret' } });
  const uri = server.uri.replace('/?', '/shop?authSource=admin&');
  const told = await Promise.all([
    [uri.replace('secret', 'sesame'), 'refuses the user or the password'],
    [uri.replace('ada:secret@', ''), 'names no user'],
    [`${uri}&w=0`, 'MONGODB_URI: w=0 is refused'],
    ['mongodb+srv://db.example.invalid/shop', 'no SRV record'],
    ['mongodb://a.cosmos.azure.com/shop', 'this is Azure Cosmos DB'],
    ['mongodb://127.0.0.1:1/shop', 'no primary answered'],
    ['shop.example.com', 'the form is mongodb://'],
  ].map(async ([given = '', said = '']) => {
    const plan = Bun.spawn([process.execPath, 'origin/database/plan.ts'], {
      cwd: join(import.meta.dir, '../../..'), env: { ...process.env, MONGODB_URI: given }, stdout: 'pipe', stderr: 'pipe',
    });
    const text = await new Response(plan.stderr).text();
    return { code: await plan.exited, isTold: text.startsWith('tombolo plan: ') && text.includes(said), hasStack: /^\s+at /m.test(text) };
  }));
  expect(told).toEqual(told.map(() => ({ code: 78, isTold: true, hasStack: false })));
  await server.close();
}, 60_000);

test('rights that are taken away while it runs are a named state, and heal when they are back', async () => {
  const { server, uri } = await startWithRoles(['readWrite', 'dbAdmin']);
  const store = await openMongoStore({ uri, resources: [boats] });
  const [user] = server.users;
  const given = user?.roles ?? [];
  const grant = (roles: typeof given) => void Object.assign(user ?? {}, { roles });
  const write = (name: string) => reasonOf(store.write([put(boats, 'fram', { name })], inTime()));
  expect(await write('Fram')).toBeUndefined();
  const watching = store.watch(await store.head(), AbortSignal.timeout(30_000));
  grant(given.map(({ db }) => ({ role: 'read' as const, db })));
  expect([await write('Gjøa'), await reasonOf(store.get(boats, 'fram', inTime()))]).toEqual(['store_refused', undefined]);
  grant([]);
  expect([await write('Gjøa'), await reasonOf(store.get(boats, 'fram', inTime()))]).toEqual(['store_refused', 'store_refused']);
  const services = new Services({ onTrouble: () => undefined });
  const state = async () => (await store.head(), { ready: true });
  await services.start('store', () => ({ value: store, stop: () => store.close(), state }));
  expect((await services.states())['store']).toEqual({ ready: false, detail: expect.stringContaining('does not let Tombolo') });
  grant(given);
  expect([await write('Maud'), (await services.states())['store']]).toEqual([undefined, { ready: true }]);
  for await (const batch of watching) if ('changes' in batch && batch.changes.length > 0) break;
  await services.stop(Date.now() + 5_000);
  await server.close();
  expect(server.errors).toEqual([]);
}, 60_000);

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
}, 60_000);

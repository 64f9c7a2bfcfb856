/** Every option of a connection string that the driver knows is taken as it is given, or refused by its name. */
import { createRequire } from 'node:module';
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { toClient } from '../../../origin/store/mongo/connection/client.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { openFaultyPlace } from './faulty-place.ts';
import { inTime, put, reasonOf } from './harness.ts';

/** What the driver itself reads; a release that knows a new one fails here until somebody has decided about it. */
const { OPTIONS } = createRequire(import.meta.url)('mongodb/lib/connection_string.js') as { OPTIONS: Readonly<Record<string, unknown>> };

const user = 'mongodb://ada:secret@a.test/shop?';
const plain = 'mongodb://a.test/shop?';
const service = 'mongodb+srv://a.test/shop?';
const secure = 'mongodb://a.test/shop?tls=true&';

/** What stands before the option, its value, and what the driver then has under which of its names. */
const taken: Readonly<Record<string, readonly [string, string, object]>> = {
  appName: [plain, 'harbour', { appName: 'harbour' }],
  authMechanism: [user, 'SCRAM-SHA-256', { credentials: { mechanism: 'SCRAM-SHA-256' } }],
  authMechanismProperties: [
    `${user}authMechanism=GSSAPI&`, 'SERVICE_NAME:x', { credentials: { mechanismProperties: { SERVICE_NAME: 'x' } } },
  ],
  authSource: [user, 'people', { credentials: { source: 'people' } }],
  compressors: [plain, 'zlib', { compressors: expect.arrayContaining(['zlib']) }],
  connectTimeoutMS: [plain, '7001', { connectTimeoutMS: 7001 }],
  directConnection: [plain, 'true', { directConnection: true }],
  heartbeatFrequencyMS: [plain, '7002', { heartbeatFrequencyMS: 7002 }],
  localThresholdMS: [plain, '77', { localThresholdMS: 77 }],
  maxConnecting: [plain, '7', { maxConnecting: 7 }],
  maxIdleTimeMS: [plain, '7003', { maxIdleTimeMS: 7003 }],
  maxPoolSize: [plain, '17', { maxPoolSize: 17 }],
  minHeartbeatFrequencyMS: [plain, '100', { minHeartbeatFrequencyMS: 100 }],
  minPoolSize: [plain, '3', { minPoolSize: 3 }],
  proxyHost: [plain, 'p.test', { proxyHost: 'p.test' }],
  proxyPort: [`${plain}proxyHost=p.test&`, '1081', { proxyPort: 1081 }],
  proxyUsername: [`${plain}proxyHost=p.test&proxyPassword=x&`, 'eve', { proxyUsername: 'eve' }],
  proxyPassword: [`${plain}proxyHost=p.test&proxyUsername=x&`, 'pw', { proxyPassword: 'pw' }],
  replicaSet: [plain, 'rs7', { replicaSet: 'rs7' }],
  retryReads: [plain, 'false', { retryReads: false }],
  serverMonitoringMode: [plain, 'poll', { serverMonitoringMode: 'poll' }],
  serverSelectionTimeoutMS: [plain, '7004', { serverSelectionTimeoutMS: 7004 }],
  socketTimeoutMS: [plain, '7005', { socketTimeoutMS: 7005 }],
  srvMaxHosts: [service, '2', { srvMaxHosts: 2 }],
  srvServiceName: [service, 'other', { srvServiceName: 'other' }],
  ssl: [plain, 'true', { tls: true }],
  tls: [plain, 'true', { tls: true }],
  tlsAllowInvalidCertificates: [secure, 'true', { rejectUnauthorized: false }],
  tlsAllowInvalidHostnames: [secure, 'true', { checkServerIdentity: expect.any(Function) }],
  tlsCAFile: [secure, '/ca.pem', { tlsCAFile: '/ca.pem' }],
  tlsCRLFile: [secure, '/crl.pem', { tlsCRLFile: '/crl.pem' }],
  tlsCertificateKeyFile: [secure, '/key.pem', { tlsCertificateKeyFile: '/key.pem' }],
  tlsCertificateKeyFilePassword: [secure, 'pw', { passphrase: 'pw' }],
  tlsInsecure: [secure, 'true', { rejectUnauthorized: false }],
  waitQueueTimeoutMS: [plain, '7006', { waitQueueTimeoutMS: 7006 }],
  zlibCompressionLevel: [`${plain}compressors=zlib&`, '5', { zlibCompressionLevel: 5 }],
};

/** A value that is refused, and the one that says what holds anyway. */
const refused: Readonly<Record<string, readonly [string, string?]>> = {
  w: ['0', 'majority'], journal: ['false', 'true'], j: ['false', 'true'], fsync: ['true'], wtimeout: ['100'], wtimeoutMS: ['100'],
  timeoutMS: ['1000'], readConcernLevel: ['local', 'majority'], readPreference: ['secondaryPreferred', 'primary'],
  readPreferenceTags: ['dc:ny'], maxStalenessSeconds: ['120'], retryWrites: ['false', 'true'], loadBalanced: ['true', 'false'],
  maxPoolSize: ['7', '8'], socketTimeoutMS: ['499', '500'],
};

const refusalOf = (uri: string): string => {
  try {
    return toClient(uri).options.hosts.length >= 0 ? 'taken' : '';
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
};

test.each(Object.entries(taken))('%s is taken', (name, [before, value, options]) => {
  expect(toClient(`${before}${name}=${value}`).options).toMatchObject(options);
  expect(toClient(`${before}${name.toUpperCase()}=${value}`).options).toMatchObject(options);
});

test.each(Object.entries(refused))('%s is refused by its name', (name, [value, kept]) => {
  expect(refusalOf(`${plain}${name}=${value}`)).toMatch(new RegExp(`^StoreNotReady: .*\n.*MONGODB_URI: ${name}=${value} is refused: \\w+`));
  if (kept !== undefined) expect(refusalOf(`${plain}${name}=${kept}`)).toBe('taken');
});

test('all others that the driver knows are options of code, and refused by their names', () => {
  const others = Object.keys(OPTIONS).filter((name) => !(name in taken) && !(name in refused));
  expect(others).toContain('promoteValues');
  for (const name of others) expect(refusalOf(`${plain}${name}=true`)).toContain(`MONGODB_URI: ${name} is no option of a connection`);
});

test.each([
  ['Atlas', 'mongodb+srv://ada:secret@cluster0.abcde.mongodb.net/?retryWrites=true&w=majority&appName=Cluster0'],
  ['mongosh', 'mongodb://127.0.0.1:27017/?directConnection=true&serverSelectionTimeoutMS=2000&appName=mongosh+2.3.0'],
])('what %s gives to be copied is taken', (_title, uri) => expect(refusalOf(uri)).toBe('taken'));

test.each([
  ['an option that nobody knows', `${plain}maxPolSize=9`, 'maxPolSize is no option'],
  ['a value of another type', `${plain}maxIdleTimeMS=soon`, 'maxIdleTimeMS'],
  ['two that cannot be together', `${secure}tlsInsecure=true&tlsAllowInvalidHostnames=true`, 'tlsInsecure'],
  ['a password that is not percent-encoded', 'mongodb://ada:sec/ret@a.test/shop', 'percent-encoded'],
  ['a broken percent-encoding', 'mongodb://ada:secret@a.test/%ZZ', 'percent-encoded'],
  ['no host', 'mongodb:///shop', 'percent-encoded'],
])('%s is told by its name, and no password', (_title, uri, said) => {
  expect(refusalOf(uri)).toMatch(/^StoreNotReady: /);
  expect(refusalOf(uri)).toContain(said);
  expect(refusalOf(uri)).not.toMatch(/secret|sec\/ret/);
});

const boats = resource({
  name: 'boats', id: { kind: 'string', format: z.string() }, schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { all: {} },
});

test('directConnection is refused where there is more than one member, and taken where there is one', async () => {
  for (const members of [1, 3]) {
    const { server, uri, remove } = await openControlledDatabase({ members });
    const direct = uri.replace(/replicaSet=[^&]+/, 'directConnection=true').replace(/,[^/]+/, '');
    const opening = openMongoStore({ uri: direct, resources: [boats] });
    const said = await opening.then((store) => store.close().then(() => 'opened'), (error: Error) => error.message);
    expect(said).toContain(members === 1 ? 'opened' : 'directConnection=true is refused: the replica set has 3 members');
    expect(said === 'opened' || server.history.commands('create').length === 0).toBe(true);
    await remove();
  }
});

test.each([
  ['are refused as busy when they have waited for so long', 300, ['store_busy', 'store_busy']],
  ['wait for as long as it takes where no bound is given', 0, [undefined, undefined]],
])('reads that are slow leave connections to writes, and those that find none %s', async (_title, waitMsMax, rest) => {
  await using place = await openFaultyPlace({ resources: [boats] });
  const store = await place.open({ uri: `${place.uri}&maxPoolSize=8&waitQueueTimeoutMS=${waitMsMax}&appName=small` });
  await store.write([put(boats, 'fram', { name: 'Fram' })], inTime());
  const slow = { failCommands: ['find'], appName: 'small', blockConnection: true, blockTimeMS: 1_500 };
  place.server.failPoint('failCommand', 'alwaysOn', slow);
  const reads = Array.from({ length: 8 }, () => reasonOf(store.get(boats, 'fram', inTime())));
  await Bun.sleep(50);
  const begun = performance.now();
  expect((await store.write([put(boats, 'maud', { name: 'Maud' })], inTime())).outcomes[0]?.kind).toBe('written');
  expect(performance.now() - begun).toBeLessThan(5_000);
  expect(await Promise.all(reads)).toEqual([...Array<undefined>(6).fill(undefined), ...rest]);
  place.server.failPoint('failCommand', 'off', {});
  expect(await reasonOf(store.get(boats, 'fram', inTime()))).toBeUndefined();
});

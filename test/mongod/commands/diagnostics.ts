// Commands that tell about the server or steer it from a test
import { toTimestamp } from '../replica/cluster-time.ts';
import { fail } from '../errors.ts';
import { privilegesOf } from '../rights.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';
import { explainAggregate } from './aggregate.ts';
import { type Command, type Context, ok } from './command.ts';
import { explainCount } from './count-distinct.ts';
import { explainDelete } from './delete.ts';
import { explainFind } from './find.ts';
import { explainUpdate } from './update.ts';
import { withWords } from './hello.ts';

const say = (fields: (context: Context) => Doc): Command => ({ kind: 'any', run: context => ok(fields(context)) });

export const ping = say(() => ({}));

export const buildInfo = say(({ server }) => withWords({ version: server.version, gitVersion: 'test', modules: [], sysInfo: 'deprecated', versionArray: [...server.version.split('.').map(Number), 0], bits: 64, debug: false, maxBsonObjectSize: 16777216, storageEngines: ['wiredTiger'] }, server.says.buildInfo));

export const hostInfo = say(({ member }) => ({ system: { hostname: member.host, cpuAddrSize: 64, numCores: 1 }, os: { type: 'Linux' }, extra: {} }));

export const whatsmyuri = say(({ connection }) => ({ you: connection.peer }));

export const connectionStatus = say(({ connection, server, body }) => {
  const user = server.users.find(({ user: name }) => name === connection.user);
  const privileges = isTruthy(body['showPrivileges']) ? { authenticatedUserPrivileges: user ? privilegesOf(user) : [] } : {};
  return { authInfo: { authenticatedUsers: user ? [{ user: user.user, db: 'admin' }] : [], authenticatedUserRoles: (user?.roles ?? []).map(role => ({ ...role })), ...privileges } };
});

export const serverStatus = say(({ server, member }) => ({ host: member.host, version: server.version, process: 'mongod', pid: BigInt(process.pid), uptime: 1, localTime: new Date(server.clock.now()), storageEngine: { name: 'wiredTiger', supportsCommittedReads: true, persistent: server.isPersistent }, ...(server.isReplicaSet ? { repl: { setName: server.set.name, isWritablePrimary: member.isPrimary, secondary: !member.isPrimary, hosts: server.set.members.map(({ host }) => host), me: member.host } } : {}), connections: { current: server.connectionCount, available: 1000 }, metrics: { queryExecutor: { scanned: BigInt(member.examined.keys), scannedObjects: BigInt(member.examined.docs), collectionScans: { total: BigInt(member.examined.collectionScans), nonTailable: BigInt(member.examined.collectionScans) } } } }));

const PARAMETERS: Doc = { enableTestCommands: true, authenticationMechanisms: ['SCRAM-SHA-256'], requireApiVersion: false, featureCompatibilityVersion: { version: '7.0' }, transactionLifetimeLimitSeconds: 60, cursorTimeoutMillis: 600_000 };

export const getParameter = say(({ body }) => {
  if (body['getParameter'] === '*' || (isDoc(body['getParameter']) && body['getParameter']['allParameters'])) return PARAMETERS;
  const found = Object.entries(PARAMETERS).filter(([name]) => name in body);
  if (!found.length) throw fail('InvalidOptions', 'no option found to get');
  return Object.fromEntries(found);
});

export const setParameter = say(({ body, member, server }) => {
  const timeout = toNumber(body['cursorTimeoutMillis']);
  if (timeout !== undefined) { member.cursors.timeoutMs = timeout; return { was: 600_000 }; }
  const lifetime = toNumber(body['transactionLifetimeLimitSeconds']);
  if (lifetime !== undefined) { server.transactionLifetimeMsMax = lifetime * 1000; return { was: 60 }; }
  throw fail('InvalidOptions', 'this parameter cannot be set on this test server');
});

export const getCmdLineOpts = say(() => ({ argv: ['mongod'], parsed: { setParameter: { enableTestCommands: '1' } } }));
export const getLog = say(({ server }) => ({ totalLinesWritten: server.log.length, log: server.log }));

export const configureFailPoint = say(({ member, body }) => ({ count: member.failPoints.configure(String(body['configureFailPoint']), body['mode'], body['data']) }));

export const replSetGetStatus: Command = {
  kind: 'any',
  adminOnly: true,
  run({ server, member }) {
    if (!server.isReplicaSet) throw fail(76, 'not running with --replSet');
    const stateOf = (role: string): [number, string] => (role === 'primary' ? [1, 'PRIMARY'] : role === 'secondary' ? [2, 'SECONDARY'] : [8, '(not reachable/healthy)']);
    return ok({
      set: server.set.name, date: new Date(server.clock.now()), myState: stateOf(member.role)[0], term: BigInt(member.term),
      optimes: { lastCommittedOpTime: { ts: toTimestamp(member.commitAt), t: BigInt(member.term) }, appliedOpTime: { ts: toTimestamp(member.lastAt), t: BigInt(member.term) } },
      members: server.set.members.map(other => ({ _id: other.index, name: other.host, health: other.role === 'down' ? 0 : 1, state: stateOf(other.role)[0], stateStr: stateOf(other.role)[1], optime: { ts: toTimestamp(other.lastAt), t: BigInt(other.term) }, optimeDate: new Date(other.lastWall), self: other === member })),
    });
  },
};

export const replSetGetConfig = say(({ server }) => ({ config: { _id: server.set.name, version: 1, term: 1, members: server.set.members.map(({ index, host }) => ({ _id: index, host, priority: 1, votes: 1, arbiterOnly: false, hidden: false })), settings: {} } }));

export const replSetStepDown: Command = {
  kind: 'any',
  adminOnly: true,
  run({ server, member }) {
    if (!member.isPrimary) throw member.notPrimary('NotWritablePrimary');
    server.stepDownOf(member);
    return ok();
  },
};

const EXPLAINED: Readonly<Record<string, (context: Context, verbosity: string) => Doc>> = {
  find: explainFind, aggregate: explainAggregate, count: explainCount, distinct: explainCount, update: explainUpdate, delete: explainDelete,
};

export const explain: Command = {
  kind: 'read',
  run(context) {
    const inner = context.body['explain'];
    if (!isDoc(inner)) throw fail('TypeMismatch', 'explain command requires a nested object');
    const name = Object.keys(inner)[0] as string;
    const run = EXPLAINED[name];
    if (!run) throw fail('NotImplemented', `explain of ${name} is refused by this test server`);
    return run({ ...context, name, body: inner }, String(context.body['verbosity'] ?? 'allPlansExecution'));
  },
};

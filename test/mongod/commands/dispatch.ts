// The path of a request to its answer, in the order of the steps below. Everything that may go wrong becomes an error reply here.
import { failsCommand } from '../fail-points.ts';
import { codeName, CODES, fail, isRetryableCode, isTransientCode, MongoFault } from '../errors.ts';
import type { Member } from '../replica/member.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import { checkRights } from '../rights.ts';
import type { Server } from '../server.ts';
import { abortIn } from '../sessions/sessions.ts';
import { LATEST } from '../storage/records.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';
import type { Connection } from '../wire/connection.ts';
import { Binary, Long } from 'bson';
import type { Command, Context } from './command.ts';
import { awaitWriteConcern, readConcernOf, viewFor, writeConcernOf } from './concerns.ts';
import { checkFields } from './fields.ts';
import { joinTransaction, type Joined } from './join-session.ts';
import { COMMANDS } from './table.ts';

const OPEN_TO_ALL = new Set(['hello', 'isMaster', 'ismaster', 'saslStart', 'saslContinue', 'ping', 'buildInfo', 'buildinfo', 'logout', 'getParameter']);

export type Answer = { reply: Doc; outcome: string };

// null: the connection is to be closed without an answer.
export async function answer(server: Server, member: Member, connection: Connection, body: Doc): Promise<Answer | null> {
  const name = Object.keys(body)[0] ?? '';
  try {
    const command = COMMANDS.get(name);
    if (!command) throw fail('CommandNotFound', `no such command: '${name}'`);
    if (server.auth && connection.user === null && !OPEN_TO_ALL.has(name)) throw fail('Unauthorized', `Command ${name} requires authentication`);
    if (server.auth) checkRights(server.users.find(({ user }) => user === connection.user), name, String(body['$db'] ?? 'test'), body);
    checkFields(name, body);
    const injected = await failPoint(server, member, connection, name, body);
    if (injected === 'close') return null;
    const reply = await run(server, member, connection, command, name, body, injected);
    return { reply: stamp(server, member, reply), outcome: reply['writeErrors'] ? 'writeErrors' : reply['writeConcernError'] ? 'writeConcernError' : 'ok' };
  } catch (error) {
    if (!(error instanceof MongoFault)) server.report(error);
    const fault = error instanceof MongoFault ? error : fail('InternalError', error instanceof Error ? error.stack ?? error.message : String(error));
    const labels = labelsOf(fault, name, body);
    const { code } = fault;
    return { reply: stamp(server, member, { ok: 0, errmsg: fault.message, code, codeName: codeName(code), ...fault.facts, ...(labels.length ? { errorLabels: labels } : {}) }), outcome: `${code} ${codeName(code)}` };
  }
}

async function run(server: Server, member: Member, connection: Connection, command: Command, name: string, body: Doc, injected: Doc | null): Promise<Doc> {
  checkPlace(server, member, command, name, body);
  const maxTime = name === 'getMore' ? undefined : toNumber(body['maxTimeMS']);
  const deadline = maxTime ? server.clock.now() + maxTime : null;
  if (maxTime && member.failPoints.enter('maxTimeAlwaysTimeOut')) throw fail('MaxTimeMSExpired', 'operation exceeded time limit');
  const session = isDoc(body['lsid']) ? member.sessions.use(body['lsid'], server.clock.now()) : null;
  if (!session || body['txnNumber'] === undefined) return inSession({ session, txnNumber: null, transaction: null, wait: { signal: connection.signal, deadline } });
  // Statements of one session take turns.
  const { peer, id, user, appName, clientMetadata } = connection;
  session.client = { peer, connectionId: id, user, appName, clientMetadata };
  session.underWay++;
  const turn = session.busy;
  let done: () => void = () => undefined;
  session.busy = new Promise(resolve => { done = resolve; });
  try {
    await turn;
    return await inSession(await joinTransaction(server, member, session, command, name, body, { signal: connection.signal, deadline }));
  } finally {
    session.underWay--;
    session.usedAt = server.clock.now();
    done();
  }

  async function inSession({ session: state, txnNumber, transaction, wait }: Joined): Promise<Doc> {
    const concern = writeConcernOf(body, server);
    const readConcern = readConcernOf(body);
    const context: Context = {
      server, member, connection, name, body, session: state, txnNumber, transaction, deadline, signal: wait.signal, term: member.term, wroteAt: 0,
      db: String(body['$db'] ?? 'test'),
      view: transaction ? transaction.view : body['readConcern'] === undefined ? LATEST : await viewFor(server, member, name, readConcern, wait),
      tick() {
        if (connection.signal.aborted) throw fail('Interrupted', 'operation was interrupted because the client has gone');
        if (deadline !== null && server.clock.now() >= deadline) throw fail('MaxTimeMSExpired', 'operation exceeded time limit');
      },
    };
    return perform(context, command, concern, injected);
  }
}

async function perform(context: Context, command: Command, concern: ReturnType<typeof writeConcernOf>, injected: Doc | null): Promise<Doc> {
  let reply: Doc;
  try {
    const running = command.run(context);
    reply = running instanceof Promise ? await running : running;
  } catch (error) {
    endTransactionAfter(context);
    if (error instanceof MongoFault && error.code === CODES.NoSuchTransaction && context.body['writeConcern'] !== undefined) await confirmAbsence(context, error, concern);
    throw error;
  }
  const writes = command.kind === 'write' || context.wroteAt > 0;
  const waits = writes && (!context.transaction || context.name === 'commitTransaction');
  // What wrote nothing waits for all that was there before it.
  if (waits && context.wroteAt === 0) context.wroteAt = context.member.lastAt;
  const failed = injected?.['writeConcernError'] as Doc | undefined ?? (waits ? await awaitWriteConcern(context, concern) : null);
  if (failed) reply = withConcernError(context, reply, failed, injected);
  return context.server.isReplicaSet ? { ...reply, operationTime: toTimestamp(operationTimeOf(context)) } : reply;
}

// The time of a command: its own for a write, what a majority has for a majority read, the newest that was applied else.
function operationTimeOf({ wroteAt, body, member }: Context): number {
  if (wroteAt > 0) return wroteAt;
  return (body['readConcern'] as Doc | undefined)?.['level'] === 'majority' ? member.commitAt : member.lastAt;
}

// That a transaction is not there is only said for good when a majority agrees: a note is written and waited for, as a mongod does.
async function confirmAbsence(context: Context, fault: MongoFault, concern: ReturnType<typeof writeConcernOf>): Promise<void> {
  context.wroteAt = context.member.write([{ kind: 'noop', message: 'NoSuchTransaction error' }]);
  const failed = await awaitWriteConcern(context, concern);
  if (!failed) return;
  fault.facts['writeConcernError'] = failed;
  fault.labels = isRetryableCode(toNumber(failed['code']) ?? 0) ? ['RetryableWriteError'] : [];
}

// Any failure of a statement ends its transaction; its commit and abort decide for themselves.
function endTransactionAfter({ transaction, session, name }: Context): void {
  if (transaction && session && name !== 'commitTransaction' && name !== 'abortTransaction') abortIn(session);
}

function withConcernError(context: Context, reply: Doc, failed: Doc, injected: Doc | null): Doc {
  const code = toNumber(failed['code']) ?? 0;
  const given = injected?.['errorLabels'];
  const retries = context.txnNumber !== null || context.name === 'commitTransaction' || context.name === 'abortTransaction';
  const labels = Array.isArray(given) ? given as string[] : retries && isRetryableCode(code) ? ['RetryableWriteError'] : [];
  return { ...reply, writeConcernError: { ...failed, codeName: failed['codeName'] ?? codeName(code) }, ...(labels.length ? { errorLabels: labels } : {}) };
}

async function failPoint(server: Server, member: Member, connection: Connection, name: string, body: Doc): Promise<Doc | 'close' | null> {
  if (name === 'configureFailPoint') return null;
  const data = member.failPoints.enter('failCommand', candidate => failsCommand(candidate, { command: name, appName: connection.appName, body }));
  if (!data) return null;
  const block = toNumber(data['blockTimeMS']);
  if (isTruthy(data['blockConnection']) && block) await server.clock.sleep(block, connection.signal);
  if (isTruthy(data['closeConnection'])) return 'close';
  const code = toNumber(data['errorCode']);
  if (code === undefined) return data;
  const fault = fail(code, `Failing command via 'failCommand' failpoint`, isDoc(data['errorExtraInfo']) ? data['errorExtraInfo'] : {});
  if (isRetryableCode(code) && [10107, 13435, 11602, 189, 91, 11600, 13436].includes(code)) fault.facts['topologyVersion'] = member.topologyVersion;
  if (Array.isArray(data['errorLabels'])) fault.labels = data['errorLabels'] as string[];
  throw fault;
}

// Writes belong on the primary; so do reads that do not say that a secondary will do.
function checkPlace(server: Server, member: Member, command: Command, name: string, body: Doc): void {
  if (command.adminOnly && body['$db'] !== 'admin') throw fail('Unauthorized', `${name} may only be run against the admin database.`);
  if (!server.isReplicaSet || member.isPrimary || command.kind === 'any') return;
  if (command.kind === 'write') throw member.notPrimary('NotWritablePrimary');
  const mode = isDoc(body['$readPreference']) ? body['$readPreference']['mode'] : 'primary';
  if (mode === 'primary') throw member.notPrimary('NotPrimaryNoSecondaryOk');
}

export function labelsOf(fault: MongoFault, name: string, body: Doc): string[] {
  if (fault.labels) return fault.labels;
  const { code } = fault;
  const labels: string[] = [];
  const inTransaction = body['autocommit'] === false;
  const ends = name === 'commitTransaction' || name === 'abortTransaction';
  if (inTransaction && (code === 251 || isTransientCode(code) || (!ends && isRetryableCode(code)))) labels.push('TransientTransactionError');
  if (isRetryableCode(code) && ((body['txnNumber'] !== undefined && !inTransaction) || ends)) labels.push('RetryableWriteError');
  if (fault.onChangeStream && (isRetryableCode(code) || RESUMABLE.has(code))) labels.push('ResumableChangeStreamError');
  if (code === 280 || code === 286) labels.push('NonResumableChangeStreamError');
  return labels;
}

// StaleShardVersion, FailedToSatisfyReadPreference, StaleEpoch, RetryChangeStream, StaleConfig
const RESUMABLE = new Set([63, 133, 150, 234, 13388]);

const NO_SIGNATURE = { hash: new Binary(Buffer.alloc(20)), keyId: Long.ZERO };

function stamp(server: Server, member: Member, reply: Doc): Doc {
  if (!server.isReplicaSet) return reply;
  const clusterTime = toTimestamp(server.clusterTime(member));
  return { operationTime: toTimestamp(member.lastAt), ...reply, $clusterTime: { clusterTime, signature: NO_SIGNATURE } };
}


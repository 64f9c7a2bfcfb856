// Sessions and transactions: their ends and their control
import { fail, MongoFault } from '../errors.ts';
import { abortIn, sessionKey } from '../sessions/sessions.ts';
import { UUID } from 'bson';
import { type Doc, isDoc } from '../values/types.ts';
import { type Command, type Context, ok } from './command.ts';

const sessionList = (value: unknown): Doc[] => (Array.isArray(value) ? value.filter(isDoc) : []);

export const endSessions: Command = {
  kind: 'any',
  run({ member, body }) {
    for (const lsid of sessionList(body['endSessions'])) {
      member.sessions.end(lsid);
      member.cursors.closeOf(sessionKey(lsid));
    }
    return ok();
  },
};

export const killSessions: Command = {
  kind: 'any',
  run({ member, body }) {
    for (const lsid of sessionList(body['killSessions'])) {
      const state = member.sessions.states.get(sessionKey(lsid));
      if (state) abortIn(state);
      member.cursors.closeOf(sessionKey(lsid));
    }
    return ok();
  },
};

export const killAllSessions: Command = {
  kind: 'any',
  run({ member }) {
    member.sessions.abortAll();
    for (const state of member.sessions.states.values()) member.cursors.closeOf(state.key);
    return ok();
  },
};

export const startSession: Command = { kind: 'any', run: () => ok({ id: { id: new UUID() }, timeoutMinutes: 30 }) };

export const refreshSessions: Command = {
  kind: 'any',
  run({ member, body, server }) {
    for (const lsid of sessionList(body['refreshSessions'])) member.sessions.use(lsid, server.clock.now());
    return ok();
  },
};

function stateOf({ session, body }: Context): NonNullable<Context['session']> {
  if (!session || body['txnNumber'] === undefined) throw fail('InvalidOptions', 'This command must be run within a transaction');
  return session;
}

export const commitTransaction: Command = {
  kind: 'write',
  inTransaction: true,
  adminOnly: true,
  run(context) {
    const state = stateOf(context);
    const { member } = context;
    const txnNumber = BigInt(context.body['txnNumber'] as bigint);
    if (state.transactionEnd === 'committed' && state.txnNumber === txnNumber) { context.wroteAt = state.commitAt || member.lastAt; return ok(); }
    const transaction = state.transaction;
    if (!transaction || state.txnNumber !== txnNumber) throw fail('NoSuchTransaction', `Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${state.txnNumber}`);
    if (injectedWrite(context)) context.connection.closeAfterCommand = true;
    state.transaction = null;
    context.wroteAt = member.commitTransaction(transaction, { key: state.key, lsid: state.lsid, txnNumber, statements: [], committed: true });
    return ok();
  },
};

export const abortTransaction: Command = {
  kind: 'write',
  inTransaction: true,
  adminOnly: true,
  run(context) {
    const state = stateOf(context);
    const txnNumber = BigInt(context.body['txnNumber'] as bigint);
    if (state.transactionEnd === 'committed' && state.txnNumber === txnNumber) throw fail('TransactionCommitted', `Transaction ${txnNumber} has been committed.`);
    if (!state.transaction || state.txnNumber !== txnNumber) throw fail('NoSuchTransaction', `Given transaction number ${txnNumber} does not match any in-progress transactions. The active transaction number is ${state.txnNumber}`);
    abortIn(state);
    return ok();
  },
};

// The fail point onPrimaryTransactionalWrite, entered by retryable writes and commits before they are logged. True: the
// connection closes without an answer, whether or not the write was refused.
export function injectedWrite(context: Context): boolean {
  const data = context.member.failPoints.enter('onPrimaryTransactionalWrite');
  if (!data) return false;
  const closes = data['closeConnection'] !== false;
  if (data['failBeforeCommitExceptionCode'] === undefined) return closes;
  context.connection.closeAfterCommand ||= closes;
  throw new MongoFault(Number(data['failBeforeCommitExceptionCode']), "Failing write for 'onPrimaryTransactionalWrite' fail point");
}

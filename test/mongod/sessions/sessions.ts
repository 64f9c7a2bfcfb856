// Logical sessions of one member: what each has run, so that a repeated statement is answered and not applied again.
import { Binary } from 'bson';
import { fail } from '../errors.ts';
import type { SessionMark, StatementResult } from '../replica/oplog.ts';
import type { Doc } from '../values/types.ts';
import type { Transaction } from './transaction.ts';

export type SessionClient = { peer: string; connectionId: number; user: string | null; appName: string | null; clientMetadata: Doc | null };

export type SessionState = {
  key: string;
  lsid: Doc;
  txnNumber: bigint;
  statements: Map<number, StatementResult>;
  transaction: Transaction | null;
  transactionEnd: 'committed' | 'aborted' | null; // how the transaction of `txnNumber` ended
  commitAt: number;
  usedAt: number;
  client: SessionClient | null; // who used it last
  underWay: number; // statements of its transactions that run or wait
  busy: Promise<void>; // statements of one session run one after another
  killed: boolean;
};

const SESSION_IDLE_MS_MAX = 30 * 60_000;

export const sessionKey = (lsid: Doc): string => {
  const id = lsid['id'];
  if (!(id instanceof Binary)) throw fail('TypeMismatch', "BSON field 'OperationSessionInfo.lsid.id' is missing or not a UUID");
  return Buffer.from(id.value()).toString('hex');
};

export class Sessions {
  readonly states = new Map<string, SessionState>();

  use(lsid: Doc, now: number): SessionState {
    const key = sessionKey(lsid);
    const state = this.states.get(key) ?? this.open(key, lsid, now);
    state.usedAt = now;
    return state;
  }

  private open(key: string, lsid: Doc, now: number): SessionState {
    const state: SessionState = { key, lsid: { id: lsid['id'] }, txnNumber: -1n, statements: new Map(), transaction: null, transactionEnd: null, commitAt: 0, usedAt: now, client: null, underWay: 0, busy: Promise.resolve(), killed: false };
    this.states.set(key, state);
    return state;
  }

  // Every member learns from the log what a session has done: so a retry after an election is recognised.
  learn(mark: SessionMark, at: number, now: number): void {
    const state = this.use(mark.lsid, now);
    if (mark.txnNumber < state.txnNumber) return;
    if (mark.txnNumber > state.txnNumber) advance(state, mark.txnNumber);
    for (const { id, result } of mark.statements) state.statements.set(id, result);
    if (mark.committed) { state.transactionEnd = 'committed'; state.commitAt = at; state.transaction = null; }
  }

  // What a rollback or a crash takes back was never done. What the log has forgotten stays known, as in a mongod, which keeps a table.
  unlearn({ key, txnNumber, statements, committed }: SessionMark): void {
    const state = this.states.get(key);
    if (!state || state.txnNumber !== txnNumber) return;
    for (const { id } of statements) state.statements.delete(id);
    if (committed || state.statements.size === 0) advance(state, txnNumber - 1n);
  }

  end(lsid: Doc): void {
    const key = sessionKey(lsid);
    const state = this.states.get(key);
    state?.transaction?.abort();
    this.states.delete(key);
  }

  expire(now: number, lifetimeMsMax: number): void {
    for (const [key, state] of this.states) {
      if (state.transaction && now - state.transaction.startedAt > lifetimeMsMax) abortIn(state);
      if (!state.transaction && now - state.usedAt > SESSION_IDLE_MS_MAX) this.states.delete(key);
    }
  }

  abortAll(): void {
    for (const state of this.states.values()) abortIn(state);
  }

  *openTransactions(): Generator<Transaction> {
    for (const { transaction } of this.states.values()) if (transaction?.state === 'active') yield transaction;
  }
}

export function abortIn(state: SessionState): void {
  if (!state.transaction) return;
  state.transaction.abort();
  state.transaction = null;
  state.transactionEnd = 'aborted';
}

// A higher number ends what the session did before.
export function advance(state: SessionState, txnNumber: bigint): void {
  abortIn(state);
  state.txnNumber = txnNumber;
  state.statements = new Map();
  state.transactionEnd = null;
  state.commitAt = 0;
}

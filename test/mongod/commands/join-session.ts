// What a txnNumber means: a transaction's statement, or a write that may be repeated.
import { fail } from '../errors.ts';
import { fromTimestamp } from '../replica/cluster-time.ts';
import type { Member } from '../replica/member.ts';
import type { Server } from '../server.ts';
import { advance, type SessionState } from '../sessions/sessions.ts';
import { Transaction } from '../sessions/transaction.ts';
import { Timestamp } from 'bson';
import type { Doc } from '../values/types.ts';
import type { Command } from './command.ts';
import { readConcernOf, viewFor, type Wait } from './concerns.ts';

export type Joined = { session: SessionState | null; txnNumber: bigint | null; transaction: Transaction | null; wait: Wait };

export async function joinTransaction(server: Server, member: Member, session: SessionState, command: Command, name: string, body: Doc, wait: Wait): Promise<Joined> {
  const number = BigInt(body['txnNumber'] as bigint);
  if (!server.isReplicaSet) throw fail('IllegalOperation', 'Transaction numbers are only allowed on a replica set member or mongos');
  if (number < session.txnNumber) throw fail('TransactionTooOld', `Cannot start transaction with { txnNumber: ${number} } on session because a newer transaction with txnNumber ${session.txnNumber} has already started.`);
  if (body['autocommit'] === undefined) return retryable(session, command, name, number, wait);
  if (body['autocommit'] !== false) throw fail('InvalidOptions', 'autocommit may only be false');
  if (!command.inTransaction) throw fail('OperationNotSupportedInTransaction', `Cannot run '${name}' in a multi-document transaction.`);
  const ends = name === 'commitTransaction' || name === 'abortTransaction';
  if (!ends && body['writeConcern'] !== undefined) throw fail('InvalidOptions', 'writeConcern is not allowed within a multi-statement transaction');
  if (!member.isPrimary) throw member.notPrimary('NotWritablePrimary');
  if (body['startTransaction'] === true) return { session, txnNumber: null, transaction: await start(server, member, session, name, number, body, wait), wait };
  if (ends) return { session, txnNumber: null, transaction: session.txnNumber === number ? session.transaction : null, wait };
  if (body['readConcern'] !== undefined) throw fail('InvalidOptions', 'Only the first command in a transaction may specify a readConcern');
  return { session, txnNumber: null, transaction: current(session, number), wait };
}

function retryable(session: SessionState, command: Command, name: string, number: bigint, wait: Wait): Joined {
  if (!command.retryable) throw fail(50768, `txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false was not provided, and ${name} is not a retryable write command.`);
  if (number > session.txnNumber) advance(session, number);
  else if (session.transaction || session.transactionEnd) throw fail('IncompleteTransactionHistory', `Cannot retry a retryable write that has been converted to a transaction ${number}`);
  return { session, txnNumber: number, transaction: null, wait };
}

async function start(server: Server, member: Member, session: SessionState, name: string, number: bigint, body: Doc, wait: Wait): Promise<Transaction> {
  if (name === 'commitTransaction' || name === 'abortTransaction') throw fail('OperationNotSupportedInTransaction', `Cannot run '${name}' as the first statement of a transaction`);
  if (number === session.txnNumber) throw fail(50911, `Cannot start a transaction at given transaction number ${number} a transaction with the same number is in state aborted or in progress`);
  advance(session, number);
  const concern = readConcernOf(body);
  if (concern['level'] === 'linearizable' || concern['level'] === 'available') throw fail('InvalidOptions', 'The readConcern level must be either \'local\' (default), \'majority\' or \'snapshot\' in order to run in a transaction');
  const { level: _, atClusterTime, ...rest } = concern;
  await viewFor(server, member, 'find', rest, wait);
  const at = atClusterTime instanceof Timestamp ? fromTimestamp(atClusterTime) : member.lastAt;
  if (at < member.horizon) throw fail('SnapshotTooOld', 'the snapshot is older than the oldest available timestamp');
  session.transaction = new Transaction(session.key, number, at, server.clock.now());
  return session.transaction;
}

function current(session: SessionState, number: bigint): Transaction {
  if (number > session.txnNumber) throw fail('NoSuchTransaction', `Given transaction number ${number} does not match any in-progress transactions. The active transaction number is ${session.txnNumber}`);
  if (session.transactionEnd === 'committed') throw fail('TransactionCommitted', `Transaction ${number} has been committed.`);
  if (!session.transaction) throw fail('NoSuchTransaction', `Transaction with { txnNumber: ${number} } has been aborted.`);
  return session.transaction;
}

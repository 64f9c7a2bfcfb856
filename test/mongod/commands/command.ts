// What a command is given and what it is made of.
import type { Connection } from '../wire/connection.ts';
import { fail } from '../errors.ts';
import type { Member } from '../replica/member.ts';
import type { SessionMark, StatementResult } from '../replica/oplog.ts';
import type { Server } from '../server.ts';
import type { SessionState } from '../sessions/sessions.ts';
import type { Transaction } from '../sessions/transaction.ts';
import type { View } from '../storage/records.ts';
import { type Doc, isDoc, isTruthy, toNumber, typeOf } from '../values/types.ts';

export type Context = {
  readonly server: Server;
  readonly member: Member;
  readonly connection: Connection;
  readonly db: string;
  readonly name: string;
  readonly body: Doc;
  readonly session: SessionState | null;
  readonly txnNumber: bigint | null; // of a retryable write
  readonly transaction: Transaction | null;
  view: View;
  readonly signal: AbortSignal; // the client has gone, or the operation was killed
  readonly deadline: number | null; // by the clock
  readonly term: number; // of the member when the command began
  wroteAt: number; // the newest position that this command wrote, or 0
  tick(): void;
};

export type Command = {
  kind: 'read' | 'write' | 'any'; // any: every member answers
  inTransaction?: boolean;
  retryable?: boolean;
  adminOnly?: boolean;
  run(context: Context): Doc | Promise<Doc>;
};

export const ok = (fields: Doc = {}): Doc => ({ ...fields, ok: 1 });

export function stringField(body: Doc, name: string, command: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw fail(value === undefined ? 40414 : 'TypeMismatch', value === undefined ? `BSON field '${command}.${name}' is missing but a required field` : `BSON field '${command}.${name}' is the wrong type '${typeOf(value)}', expected type 'string'`);
  return value;
}

export function docField(body: Doc, name: string, command: string): Doc | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!isDoc(value)) throw fail('TypeMismatch', `BSON field '${command}.${name}' is the wrong type '${typeOf(value)}', expected type 'object'`);
  return value;
}

export function numberField(body: Doc, name: string, command: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const number = toNumber(value);
  if (number === undefined) throw fail('TypeMismatch', `BSON field '${command}.${name}' is the wrong type '${typeOf(value)}', expected types '[long, int, decimal, double']`);
  return number;
}

export const flag = (body: Doc, name: string): boolean => isTruthy(body[name]);

export function collectionName(context: Context): string {
  const name = context.body[context.name];
  if (typeof name !== 'string') throw fail('InvalidNamespace', `collection name has invalid type ${typeOf(name)}`);
  if (name === '' || name.includes('\0') || name.startsWith('.') || (name.includes('$') && !name.startsWith('$cmd'))) throw fail('InvalidNamespace', `Invalid namespace specified '${context.db}.${name}'`);
  if (Buffer.byteLength(`${context.db}.${name}`) > 255) throw fail('InvalidNamespace', `Fully qualified namespace is too long. Namespace: ${context.db}.${name} Max: 255`);
  return name;
}

export function listField(body: Doc, name: string, command: string): Doc[] {
  const list = body[name];
  if (!Array.isArray(list)) throw fail(list === undefined ? 40414 : 'TypeMismatch', `BSON field '${command}.${name}' is missing but a required field`);
  if (list.length === 0 || list.length > 100_000) throw fail('InvalidLength', `Write batch sizes must be between 1 and 100000. Got ${list.length} operations.`);
  return list as Doc[];
}

// The statement of a retryable write: its id, and the answer that it got before.
export function statementId(context: Context, index: number): number {
  const { stmtId, stmtIds } = context.body;
  if (Array.isArray(stmtIds)) return toNumber(stmtIds[index]) ?? index;
  return stmtId === undefined ? index : (toNumber(stmtId) ?? 0) + index;
}

export const recordedResult = (context: Context, statement: number): StatementResult | undefined =>
  context.txnNumber === null ? undefined : context.session?.statements.get(statement);

export function sessionMark(context: Context, statement: number, result: StatementResult): SessionMark | null {
  if (context.txnNumber === null || !context.session) return null;
  return { key: context.session.key, lsid: context.session.lsid, txnNumber: context.txnNumber, statements: [{ id: statement, result }], committed: false };
}

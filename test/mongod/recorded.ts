// Runs a command under the seed's faults and writes down its fate.
import { answer } from './commands/dispatch.ts';
import { codeName, fail } from './errors.ts';
import type { FaultKind } from './faults.ts';
import type { HistoryEvent } from './history.ts';
import { sessionKey } from './sessions/sessions.ts';
import { type Doc, isDoc } from './values/types.ts';
import type { Connection } from './wire/connection.ts';

type Incoming = { connection: Connection; application: number; ordinal: number; name: string; body: Doc };

// null: the connection is to be closed without an answer.
export async function runRecorded(incoming: Incoming): Promise<Doc | null> {
  const { connection, application, ordinal, name, body } = incoming;
  const { server, member } = connection;
  const fault = server.faults.decide(application, ordinal, name);
  const startedAt = server.clock.now();
  const note = (outcome: string): void => server.history.add({ ...eventOf(incoming, fault), at: startedAt, outcome, ms: server.clock.now() - startedAt });
  if (fault === 'closeBefore') { note('closed'); return null; }
  if (fault === 'error') { note('91 ShutdownInProgress'); return injectedError(name, body); }
  if (fault === 'delay') await server.clock.sleep(server.faults.delayMs, connection.signal);
  await server.encounters.meet('before', { ...eventOf(incoming, fault), at: startedAt });
  const answered = connection.signal.aborted ? null : await answer(server, member, connection, body);
  note(answered?.outcome ?? 'closed');
  await server.encounters.meet('after', { ...eventOf(incoming, fault), at: startedAt });
  return fault === 'closeAfter' || connection.signal.aborted ? null : answered?.reply ?? null;
}

function eventOf({ connection, application, ordinal, name, body }: Incoming, fault: FaultKind | null): Omit<HistoryEvent, 'at'> {
  const target = body[name] === undefined || typeof body[name] === 'string' ? body[name] : body['collection'];
  return {
    kind: fault ? 'fault' : 'command', member: connection.member.index, connection: application, ordinal, name,
    namespace: `${String(body['$db'])}.${typeof target === 'string' ? target : ''}`, ...(fault ? { detail: fault } : {}),
    ...(isDoc(body['lsid']) && body['txnNumber'] !== undefined ? { session: sessionKey(body['lsid']), txnNumber: String(body['txnNumber']) } : {}),
  };
}

// Refused before anything was done, in words that a driver may answer with a retry.
function injectedError(name: string, body: Doc): Doc {
  const { message, code } = fail('ShutdownInProgress', 'injected fault');
  const label = body['autocommit'] === false && name !== 'commitTransaction' && name !== 'abortTransaction' ? 'TransientTransactionError' : 'RetryableWriteError';
  return { ok: 0, errmsg: message, code, codeName: codeName(code), ...(body['txnNumber'] === undefined ? {} : { errorLabels: [label] }) };
}

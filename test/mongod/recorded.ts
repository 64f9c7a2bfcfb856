// Runs a command under the faults that are meant for it and writes down its fate.
import { type Answer, answer, labelsOf } from './commands/dispatch.ts';
import { codeName, CODES, fail, isRetryableCode } from './errors.ts';
import type { CommandFault } from './faults.ts';
import type { HistoryEvent } from './history.ts';
import { sessionKey } from './sessions/sessions.ts';
import { type Doc, isDoc } from './values/types.ts';
import type { Connection } from './wire/connection.ts';

type Incoming = { connection: Connection; application: number; ordinal: number; name: string; body: Doc };

// null: the connection is to be closed without an answer.
export async function runRecorded(incoming: Incoming): Promise<Doc | null> {
  const { connection, application, ordinal, name } = incoming;
  const { server } = connection;
  const fault = server.faults.decide(application, ordinal, name);
  const event = { ...eventOf(incoming, fault), at: server.clock.now() };
  const { reply, outcome } = await underFault(incoming, fault, event);
  server.history.add({ ...event, outcome, ms: server.clock.now() - event.at });
  return reply;
}

type Fate = { reply: Doc | null; outcome: string };

const CLOSED: Fate = { reply: null, outcome: 'closed' };

async function underFault(incoming: Incoming, fault: CommandFault | null, event: HistoryEvent): Promise<Fate> {
  const { connection, body } = incoming;
  const { server, member } = connection;
  if (fault?.kind === 'closeBefore') return CLOSED;
  if (fault?.kind === 'error') return injectedError(incoming, fault.code);
  if (fault?.kind === 'delay') await server.clock.sleep(fault.ms, connection.signal);
  await server.encounters.meet('before', event);
  const answered = connection.signal.aborted ? null : await answer(server, member, connection, body);
  await server.encounters.meet('after', event);
  if (answered === null) return CLOSED;
  if (fault?.kind === 'closeAfter' || connection.signal.aborted) return { ...answered, reply: null };
  return fault?.kind === 'concernError' ? withConcernError(answered, fault.code) : answered;
}

function eventOf({ connection, application, ordinal, name, body }: Incoming, fault: CommandFault | null): Omit<HistoryEvent, 'at'> {
  const target = body[name] === undefined || typeof body[name] === 'string' ? body[name] : body['collection'];
  return {
    kind: fault ? 'fault' : 'command', member: connection.member.index, connection: application, ordinal, name,
    namespace: `${String(body['$db'])}.${typeof target === 'string' ? target : ''}`, ...(fault ? { detail: fault.kind } : {}),
    ...(isDoc(body['lsid']) && body['txnNumber'] !== undefined ? { session: sessionKey(body['lsid']), txnNumber: String(body['txnNumber']) } : {}),
  };
}

// Refused before anything was done, with the labels that a driver may answer with a retry.
function injectedError({ connection: { member }, name, body }: Incoming, reason: keyof typeof CODES): Fate {
  const fault = fail(reason, 'injected fault', isRetryableCode(CODES[reason]) ? { topologyVersion: member.topologyVersion } : {});
  fault.onChangeStream = name === 'getMore';
  const { message, code, facts } = fault;
  const labels = labelsOf(fault, name, body);
  return { reply: { ok: 0, errmsg: message, code, codeName: codeName(code), ...facts, ...(labels.length ? { errorLabels: labels } : {}) }, outcome: `${code} ${codeName(code)}` };
}

// Done, and then the member could not say that enough others have it.
function withConcernError(answered: Answer, reason: keyof typeof CODES): Fate {
  if (answered.reply['ok'] !== 1 || answered.reply['writeConcernError'] !== undefined) return answered;
  const code = CODES[reason];
  const labels = isRetryableCode(code) ? { errorLabels: ['RetryableWriteError'] } : {};
  return { reply: { ...answered.reply, ...labels, writeConcernError: { code, codeName: codeName(code), errmsg: 'injected fault' } }, outcome: 'writeConcernError' };
}

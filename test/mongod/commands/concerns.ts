// Read and write concerns: which state a reader sees, and for whom a writer waits.
import { Timestamp } from 'bson';
import { fail } from '../errors.ts';
import { fromTimestamp } from '../replica/cluster-time.ts';
import type { Member } from '../replica/member.ts';
import type { Server } from '../server.ts';
import { LATEST, type View } from '../storage/records.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';
import type { Context } from './command.ts';

const LEVELS = new Set(['local', 'available', 'majority', 'linearizable', 'snapshot']);
const SNAPSHOT_READS = new Set(['find', 'aggregate', 'distinct']);

export type Wait = { signal: AbortSignal; deadline: number | null };

export function readConcernOf(body: Doc): Doc {
  const concern = body['readConcern'];
  if (concern === undefined) return {};
  if (!isDoc(concern)) throw fail('TypeMismatch', 'readConcern must be an object');
  const { level } = concern;
  if (level !== undefined && !LEVELS.has(String(level))) throw fail('FailedToParse', `Unrecognized option value '${String(level)}' for readConcern.level`);
  return concern;
}

// Waits for what the session has seen, then tells the time at which to read.
export async function viewFor(server: Server, member: Member, name: string, concern: Doc, wait: Wait): Promise<View> {
  const { level, afterClusterTime, atClusterTime } = concern;
  if (afterClusterTime instanceof Timestamp) {
    if (!server.isReplicaSet) throw fail('IllegalOperation', 'Cannot specify afterClusterTime readConcern without replication enabled');
    if (atClusterTime !== undefined) throw fail('InvalidOptions', 'Specifying a timestamp for readConcern snapshot in a causally consistent session is not allowed.');
    await untilAt(server, member, fromTimestamp(afterClusterTime), level === 'majority', wait);
  }
  if (level === 'snapshot') {
    if (!server.isReplicaSet) throw fail(123, 'node needs to be a replica set member to use readConcern: snapshot');
    if (!SNAPSHOT_READS.has(name)) throw fail('InvalidOptions', `Command ${name} does not support readConcern snapshot`);
    if (!(atClusterTime instanceof Timestamp)) return { at: Math.max(member.commitAt, afterClusterTime instanceof Timestamp ? fromTimestamp(afterClusterTime) : 0), holder: null };
    const at = fromTimestamp(atClusterTime);
    await untilAt(server, member, at, true, wait);
    if (at < member.horizon) throw fail('SnapshotTooOld', `Read timestamp ${atClusterTime.toString()} is older than the oldest available timestamp.`);
    return { at, holder: null };
  }
  if (level === 'majority' && server.isReplicaSet) return { at: member.commitAt, holder: null };
  if (level === 'linearizable') {
    if (!server.isReplicaSet) throw fail(123, 'node needs to be a replica set member to use read concern');
    if (!member.isPrimary) throw member.notPrimary('NotWritablePrimary');
    await linearize(server, member, wait);
  }
  return LATEST;
}

async function untilAt(server: Server, member: Member, at: number, committed: boolean, wait: Wait): Promise<void> {
  const reached = (): boolean => (committed ? member.commitAt : member.lastAt) >= at;
  if (reached()) return;
  // A primary that is asked for a time that it has not reached writes a note there.
  if (member.isPrimary && member.lastAt < at) member.write([{ kind: 'noop', message: 'afterClusterTime' }], null, Math.max(at, member.nextAt()));
  if (committed) await member.journal.flush(at);
  if (!(await untilMet(server, reached, wait, null))) throw fail('MaxTimeMSExpired', 'operation exceeded time limit');
}

async function linearize(server: Server, member: Member, wait: Wait): Promise<void> {
  const at = member.write([{ kind: 'noop', message: 'linearizable read' }]);
  await member.journal.flush(at);
  if (!(await untilMet(server, () => member.commitAt >= at, wait, member.roleSignal))) throw member.isPrimary ? fail('MaxTimeMSExpired', 'operation exceeded time limit') : member.notPrimary('InterruptedDueToReplStateChange');
}

// False when the time was over or the wait was called off first.
async function untilMet(server: Server, isMet: () => boolean, { signal, deadline }: Wait, also: AbortSignal | null): Promise<boolean> {
  if (isMet()) return true;
  const stop = new AbortController();
  const end = (): void => stop.abort();
  const leave = server.set.wait({ isMet, resolve: end });
  const any = AbortSignal.any(also ? [signal, stop.signal, also] : [signal, stop.signal]);
  if (deadline !== null) await server.clock.sleep(Math.max(0, deadline - server.clock.now()), any);
  else await new Promise<void>(resolve => { if (any.aborted) resolve(); else any.addEventListener('abort', () => resolve(), { once: true }); });
  leave();
  return isMet();
}

type WriteConcern = { w: number | 'majority' | string; j: boolean; wtimeoutMs: number };

export function writeConcernOf(body: Doc, server: Server): WriteConcern {
  const concern = body['writeConcern'];
  if (concern !== undefined && !isDoc(concern)) throw fail('TypeMismatch', 'writeConcern must be an object');
  const given = concern?.['w'];
  const w = given === undefined ? 'majority' : typeof given === 'string' ? given : toNumber(given) ?? 'majority';
  if (typeof w === 'number' && (w < 0 || w > 50)) throw fail('FailedToParse', 'w has to be a non-negative number and not greater than 50');
  if (!server.isReplicaSet && typeof w === 'number' && w > 1) throw fail('BadValue', "cannot use 'w' > 1 when a host is not replicated");
  if (w === 0 && isTruthy(concern?.['j'])) throw fail('BadValue', 'cannot use w: 0 with j: true');
  return { w, j: isTruthy(concern?.['j']), wtimeoutMs: toNumber(concern?.['wtimeout'] ?? concern?.['wtimeoutMS']) ?? 0 };
}

// The writeConcernError of a reply, or null when enough members have what was written.
export async function awaitWriteConcern(context: Context, concern: WriteConcern): Promise<Doc | null> {
  const { server, member } = context;
  const { w, j, wtimeoutMs } = concern;
  if (w === 0) return null;
  const at = context.wroteAt || member.lastAt;
  const provenance = { writeConcern: { w, ...(j ? { j } : {}), wtimeout: wtimeoutMs, provenance: 'clientSupplied' } };
  if (typeof w === 'string' && w !== 'majority') return { code: 79, codeName: 'UnknownReplWriteConcern', errmsg: `No write concern mode named '${w}' found in replica set configuration`, errInfo: provenance };
  if (typeof w === 'number' && w > server.set.members.length) return { code: 100, codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes', errInfo: provenance };
  if (j || w === 'majority') await member.journal.flush(at);
  // Only the primary that wrote can say who has it: for any other the commit point may be past that time, and over another entry.
  const isSame = (): boolean => member.isPrimary && member.term === context.term;
  const isMet = (): boolean => isSame() && (w === 'majority' ? member.commitAt >= at : server.set.members.filter(other => other === member || (server.set.isLinked(member, other) && other.lastAt >= at)).length >= w);
  if (!server.isReplicaSet || isMet()) return null;
  const steppedDown = { code: 189, codeName: 'PrimarySteppedDown', errmsg: 'Primary stepped down while waiting for replication', errInfo: provenance };
  if (!isSame()) return steppedDown;
  const deadline = wtimeoutMs > 0 ? server.clock.now() + wtimeoutMs : context.deadline;
  if (await untilMet(server, isMet, { signal: context.signal, deadline }, member.roleSignal)) return null;
  if (!isSame()) return steppedDown;
  return { code: 64, codeName: 'WriteConcernTimeout', errmsg: 'waiting for replication timed out', errInfo: { wtimeout: true, ...provenance } };
}

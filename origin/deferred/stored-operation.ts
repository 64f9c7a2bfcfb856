/** An operation that goes on behind its answer as it is stored, who may see it, and as what. */
import type * as z from 'zod';
import { satisfies } from '../../shared/contract/rules.ts';
import { deferredLimits } from '../../shared/deferred/limits.ts';
import type { deferred } from '../../shared/deferred/resource.ts';
import { toProblem } from '../../shared/wire/problem.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { instantAt, type JsonObject } from '../../shared/wire/values.ts';
import { isAdmin, seenBy } from '../access/seen-by.ts';
import type { Asked } from '../call.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { originEnded } from './ends.ts';

export type StoredOperation = z.output<typeof deferred.schema>;

export function newOperation({ principal, operation, resource, requestId }: Asked, nowMs: number): StoredOperation {
  const { subject = '', claims: { tenant }, key } = principal;
  return {
    owner: subject, ...(tenant === undefined ? {} : { tenant: String(tenant) }), ...(key === undefined ? {} : { key: key.id }),
    request: requestId, operation: operation.name, resource: resource.name, state: 'waiting', madeAt: instantAt(nowMs),
    ...keptFrom(nowMs), isCancelled: false, rows: 0, rejected: 0, parts: 0, bytes: 0,
  };
}

/** It is told anew that its origin goes on. */
export function keptFrom(nowMs: number): Pick<StoredOperation, 'aliveUntil' | 'keptUntil'> {
  return { aliveUntil: instantAt(nowMs + deferredLimits.aliveMs), keptUntil: instantAt(nowMs + deferredLimits.keptMs) };
}

export function isOpen({ state }: StoredOperation): boolean {
  return state === 'waiting' || state === 'running';
}

/** Whether its origin has ended, and nobody goes on with it. */
export function isLost(operation: StoredOperation, nowMs: number): boolean {
  return isOpen(operation) && Date.parse(operation.aliveUntil) < nowMs;
}

export function hasPassed({ keptUntil }: StoredOperation, nowMs: number): boolean {
  return Date.parse(keptUntil) < nowMs;
}

/** An API key sees what was asked for with it; its owner, signed in, all that is theirs. */
export function isOwn({ owner, key }: StoredOperation, principal: Principal): boolean {
  return owner === principal.subject && (principal.key === undefined || principal.key.id === key);
}

/** Its status, not its result, is also for an admin of the tenant, or of all, who is signed in. */
export function isSeen(operation: StoredOperation, principal: Principal): boolean {
  if (isOwn(operation, principal)) return true;
  const { owner, tenant = null } = operation;
  return principal.key === undefined && isAdmin(principal) && satisfies({ owner, tenant }, seenBy(principal));
}

/** Code alone writes it, so a stored operation is one. */
export function operationIn({ value: { id: _id, ...operation } }: StoredDocument): StoredOperation {
  return operation as unknown as StoredOperation;
}

export function documentOf(operation: StoredOperation): JsonObject {
  return JSON.parse(JSON.stringify(operation)) as JsonObject;
}

/** `path`: where it is. */
export function toShown(id: string, operation: StoredOperation, { path, nowMs }: { path: string; nowMs: number }): JsonObject {
  const { operation: name, resource, madeAt, startedAt, rows, rejected, summary, mediaType, bytes, keptUntil } = operation;
  const lost = isLost(operation, nowMs);
  const endedAt = lost ? operation.aliveUntil : operation.endedAt;
  const problem = lost ? JSON.stringify(toProblem(originEnded(), { requestId: operation.request })) : operation.problem;
  return {
    id, operation: name, resource, state: lost ? 'failed' : operation.state, madeAt,
    ...(startedAt === undefined ? {} : { startedAt }), ...(endedAt === undefined ? {} : { endedAt }),
    rows, rejected, rowsPerSecond: rateOf(operation),
    ...(summary === undefined ? {} : { summary: JSON.parse(summary) as JsonObject }),
    ...(problem === undefined ? {} : { problem: JSON.parse(problem) as JsonObject }),
    ...(mediaType === undefined ? {} : { result: { path: `${path}/result`, mediaType, bytes } }),
    ...(endedAt === undefined ? {} : { keptUntil }),
  };
}

/** Until it last said how far it is. */
function rateOf({ rows, startedAt, endedAt, aliveUntil }: StoredOperation): number {
  if (startedAt === undefined) return 0;
  const toldAt = endedAt === undefined ? Date.parse(aliveUntil) - deferredLimits.aliveMs : Date.parse(endedAt);
  return Math.round((rows * 1_000) / Math.max(1, toldAt - Date.parse(startedAt)));
}

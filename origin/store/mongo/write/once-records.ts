/** What is met once: nonces of the hop and records of idempotency keys, in one collection under ids that never meet. */
import { storeLimits } from '../../limits.ts';
import type { WriteOptions } from '../../store.ts';
import type { OnceRecord } from '../install/system-records.ts';
import type { Decided } from './decide.ts';

const noncePrefix = 'nonce:';

export function toNonce({ value, expiresAt }: NonNullable<WriteOptions['nonce']>): OnceRecord {
  return { _id: noncePrefix + value, expiresAt: new Date(expiresAt) };
}

export function isNonce({ _id }: Pick<OnceRecord, '_id'>): boolean {
  return _id.startsWith(noncePrefix);
}

export function toOnceId(key: string): string {
  return `once:${key}`;
}

/** The nonce and the idempotency record of one write, as far as it has them. */
export function toOnceRecords({ nonce, once }: WriteOptions, { outcomes }: Decided, nowMs: number): readonly OnceRecord[] {
  return [...(nonce === undefined ? [] : [toNonce(nonce)]), ...(once === undefined ? [] : [toOnceRecord(once, outcomes, nowMs)])];
}

function toOnceRecord(once: NonNullable<WriteOptions['once']>, outcomes: Decided['outcomes'], nowMs: number): OnceRecord {
  const expiresAt = new Date(nowMs + storeLimits.onceMs);
  return { _id: toOnceId(once.key), expiresAt, fingerprint: once.fingerprint, answer: once.answer(outcomes) };
}

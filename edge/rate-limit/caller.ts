import type { Principal } from '../../shared/wire/principal.ts';

/**
 * The caller who pays: the subject, or an API key that has a plan of its own. Where nobody tells addresses apart, all who are
 * not signed in are one caller.
 */
export function callerOf({ subject, key }: Pick<Principal, 'subject' | 'key'>, network: string | undefined): string {
  if (key?.isCountedAlone === true) return keyCounter(key.id);
  return subject === undefined ? `address:${network ?? 'unknown'}` : `subject:${subject}`;
}

/** The counter of all that is asked with a key that is not counted alone: of what its owner spends, the key's part. */
export function keyCounter(id: string): string {
  return `key:${id}`;
}

export function tenantCounter(tenant: string): string {
  return `tenant:${tenant}`;
}

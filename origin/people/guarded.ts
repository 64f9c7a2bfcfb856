/** Which paths below `/auth` check a secret or send a mail, and whose tries that takes. */
import { peopleRoot } from '../../shared/people/paths.ts';
import { isJsonObject } from '../../shared/wire/values.ts';
import type { Guarded } from './attempts.ts';

/** Each checks a password or a code of whom its body names by their address of mail. */
const signIns: ReadonlySet<string> = new Set(['/sign-in/email', '/sign-in/email-otp']);

/** Each checks one of somebody who is known already, and counted by their id (`second-factor.ts`), whomever its body names. */
export const ownSecrets: ReadonlySet<string> = new Set([
  '/two-factor/verify-totp', '/two-factor/verify-backup-code', '/two-factor/enable', '/two-factor/disable',
  '/two-factor/generate-backup-codes', '/two-factor/get-totp-uri', '/change-password', '/verify-password',
]);

const secrets: ReadonlySet<string> = new Set([...signIns, ...ownSecrets, '/reset-password']);

/** Each sends a mail to the address that its body names. */
const mails: ReadonlySet<string> = new Set([
  '/sign-up/email', '/request-password-reset', '/send-verification-email', '/organization/invite-member',
  '/email-otp/send-verification-otp', '/sign-in/magic-link',
]);

/** `address`: the sender's, as the edge knows it; absent where nobody tells addresses. */
export function guardedOf(path: string, body: unknown, address: string | null): readonly Guarded[] {
  const below = path.slice(peopleRoot.length);
  if (mails.has(below)) return [...of('mailFrom', address), ...of('mailTo', emailOf(body))];
  if (!secrets.has(below)) return [];
  return [...of('address', address), ...(signIns.has(below) ? of('account', emailOf(body)) : [])];
}

function of(guard: Guarded['guard'], whose: string | null): readonly Guarded[] {
  return whose === null ? [] : [{ guard, whose }];
}

function emailOf(body: unknown): string | null {
  return isJsonObject(body) && typeof body['email'] === 'string' ? body['email'].trim().toLowerCase() : null;
}

/** Which paths below `/auth` check a secret or send a mail, and whose tries that takes. */
import { isJsonObject } from '../../shared/wire/values.ts';
import type { Guarded } from './attempts.ts';

const secrets: ReadonlySet<string> = new Set([
  '/auth/sign-in/email', '/auth/sign-in/email-otp', '/auth/change-password', '/auth/reset-password', '/auth/verify-password',
  '/auth/two-factor/verify-totp', '/auth/two-factor/verify-backup-code', '/auth/two-factor/enable', '/auth/two-factor/disable',
  '/auth/two-factor/generate-backup-codes', '/auth/two-factor/get-totp-uri',
]);

const mails: ReadonlySet<string> = new Set([
  '/auth/sign-up/email', '/auth/request-password-reset', '/auth/send-verification-email',
  '/auth/organization/invite-member', '/auth/email-otp/send-verification-otp', '/auth/sign-in/magic-link',
]);

export function isSecretChecked(path: string): boolean {
  return secrets.has(path);
}

/** `address`: the sender's, as the edge knows it; absent where nobody tells addresses. */
export function guardedOf(path: string, body: unknown, address: string | null): readonly Guarded[] {
  const email = isJsonObject(body) && typeof body['email'] === 'string' ? body['email'].trim().toLowerCase() : undefined;
  const of = (account: Guarded['guard'], sender: Guarded['guard']): readonly Guarded[] => [
    ...(address === null ? [] : [{ guard: sender, whose: address }]),
    ...(email === undefined ? [] : [{ guard: account, whose: email }]),
  ];
  if (secrets.has(path)) return of('account', 'address');
  return mails.has(path) ? of('mailTo', 'mailFrom') : [];
}

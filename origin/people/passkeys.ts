/**
 * Passkeys (WebAuthn Level 3) by better-auth. Each is two factors, what somebody has and what unlocks it, so the authenticator must
 * say that it looked who it is (§6.1, UV); who has a second factor beside a password signs in with one all the same.
 *
 *   generate-register-options ─▶ the browser makes a pair of keys ─▶ verify-registration, in a session of theirs
 *   generate-authenticate-options ─▶ the browser signs the challenge ─▶ verify-authentication ─▶ session
 *
 * A challenge holds for five minutes, for the browser that it was given to, and once.
 */
import { passkey } from '@better-auth/passkey';
import { APIError } from 'better-auth/api';
import type { PeopleSettings } from './settings.ts';

/** Of one person. */
const passkeysMax = 20;

/** A passkey is the API's host's: pages elsewhere have it where their own host ends in it. */
export function passkeys({ url, pages }: Pick<PeopleSettings, 'url' | 'pages'>) {
  return passkey({
    rpID: new URL(url).hostname, rpName: new URL(url).hostname, origin: [url, ...pages],
    // No address is asked for at a sign-in, so the authenticator must know whose it is.
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
    registration: {
      async afterVerification({ ctx, user, verification }) {
        const { registrationInfo: made } = verification;
        if (made?.userVerified !== true) throw APIError.from('BAD_REQUEST', unverified);
        const countOf = (field: string, value: string) => ctx.context.adapter.count({ model: 'passkey', where: [{ field, value }] });
        // Web Authentication Level 3 §7.1: an id that somebody has registered is nobody else's.
        if ((await countOf('credentialID', made.credential.id)) > 0) throw APIError.from('CONFLICT', known);
        if ((await countOf('userId', user.id)) >= passkeysMax) throw APIError.from('CONFLICT', tooMany);
      },
    },
    authentication: {
      async afterVerification({ verification }) {
        if (!verification.authenticationInfo.userVerified) throw APIError.from('UNAUTHORIZED', unverified);
      },
    },
  });
}

const unverified = { code: 'USER_NOT_VERIFIED', message: 'The authenticator did not look who it is: a PIN or a finger is needed' } as const;
const known = { code: 'PASSKEY_KNOWN', message: 'This passkey is registered already' } as const;
const tooMany = { code: 'TOO_MANY_PASSKEYS', message: `A person has at most ${passkeysMax} passkeys: delete one of them` } as const;

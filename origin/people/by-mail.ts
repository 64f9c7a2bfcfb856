/**
 * Signing in by what a mail says, a code or a link (SEMANTICS §20). Both are sent to whatever address is asked for, and prove
 * it, so whoever had no account has one then; that asking tells nobody who has. Each is taken once, within five minutes.
 */
import { emailOTP } from 'better-auth/plugins/email-otp';
import { magicLink } from 'better-auth/plugins/magic-link';
import type { toMails } from './mail.ts';

const holdsSeconds = 300;
const codeDigits = 8;
/** Wrong ones, after which the code is over; the account's own tries are counted beside. */
const triesOfCode = 3;

export function byMail({ code, link }: Pick<ReturnType<typeof toMails>, 'code' | 'link'>, secret: string) {
  return [
    emailOTP({
      otpLength: codeDigits, expiresIn: holdsSeconds, allowedAttempts: triesOfCode,
      // Keyed, because whoever reads the database has tried all digits of a plain digest within a second.
      storeOTP: { hash: async (digits) => new Bun.CryptoHasher('sha256', secret).update(digits).digest('base64url') },
      sendVerificationOTP: async ({ type, ...sent }) => void (type === 'sign-in' && code(sent)),
    }),
    // The answer waits for neither mail.
    magicLink({ expiresIn: holdsSeconds, storeToken: 'hashed', sendMagicLink: async (sent) => void link(sent) }),
  ] as const;
}

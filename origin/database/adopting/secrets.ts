/**
 * Fields that nobody should be served: found by their names, or by the looks of a text in them. It errs on the side of leaving
 * out: a field that was left out is kept by every write, and a person puts it into the schema with one line.
 */
import { isObject, kindOf } from './values.ts';

/** In a name without its case and its signs. */
const telling = /password|passwd|passphrase|passcode|secret(?!ar)|credential|apikey|privatekey|accesskey|authdata/;
/** One word of a name. */
const tellingWords = /^(pwd|tokens?|jwts?|salt|otp|totp|mfa|cookies?)$/;
/** The whole of a name: as parts they are of other things. These are secret as numbers, too. */
const tellingNames = /^(pass|pin|cvv|cvc|ssn|otp|pwd|(credit|debit)card|(credit|debit)?cardnumber)$/;

const looks: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['the hash of a password', /^\$(2[abxy]?|argon2(i|d|id)|scrypt|pbkdf2[\w-]*|[156y])\$|^pbkdf2_sha\d+\$/],
  ['a signed token', /^eyJ[\w-]{8,}\.[\w-]+\.[\w-]*$/],
  ['a private key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/],
  ['a key of a service', /^((sk|rk)_(live|test)_|AKIA[0-9A-Z]{16}$|gh[opsur]_\w{36}|xox[abeprs]-)/],
  ['an address with a password', /^[a-z][a-z0-9+.-]*:\/\/[^\s:@/]*:[^\s@/]+@/i],
];

/** Why the values under this name are left out; `undefined`: nothing in them looks secret by itself. */
export function whySecret(name: string, values: readonly unknown[]): string | undefined {
  const seen = values.map(kindOf);
  const holdsMore = seen.some((kind) => ['string', 'binary', 'object', 'array', 'other'].includes(kind));
  const holdsNumbers = seen.some((kind) => ['integer', 'number', 'long', 'decimal'].includes(kind));
  const words = name.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g)?.map((word) => word.toLowerCase()) ?? [];
  const whole = words.join('');
  // A date of its change, a flag or a count tells nothing of a secret.
  if (tellingNames.test(whole) && (holdsMore || holdsNumbers)) return 'by its name';
  if (holdsMore && (telling.test(whole) || words.some((word) => tellingWords.test(word)))) return 'by its name';
  return whyLooksSecret(values);
}

function whyLooksSecret(values: readonly unknown[]): string | undefined {
  for (const value of values) {
    if (Array.isArray(value)) {
      const found = whyLooksSecret(value);
      if (found !== undefined) return found;
    } else if (typeof value === 'string') {
      const found = looks.find(([, pattern]) => pattern.test(value));
      if (found !== undefined) return `looks like ${found[0]}`;
    }
  }
  return undefined;
}

/** Whether anything in these values, at any depth, would be left out if the schema named its members. */
export function holdsSecret(values: readonly unknown[]): boolean {
  return whyLooksSecret(values) !== undefined || values.some((value) => {
    if (Array.isArray(value)) return holdsSecret(value);
    if (!isObject(value)) return false;
    return Object.entries(value).some(([name, each]) => whySecret(name, [each]) !== undefined || holdsSecret([each]));
  });
}

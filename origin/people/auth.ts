/** better-auth as people meet it: what is offered, what is asked of passwords and mails, and what a token says. */
import { betterAuth, type BetterAuthOptions, type DBAdapter } from 'better-auth';
import { APIError } from 'better-auth/api';
import { jwt, type JwtOptions } from 'better-auth/plugins/jwt';
import { peopleLimits } from '../../shared/people/limits.ts';
import { peopleRoot } from '../../shared/people/paths.ts';
import { Attempts, attemptsSchema } from './attempts.ts';
import { byMail } from './by-mail.ts';
import type { PeopleDatabase } from './database.ts';
import { revokingOthers, withHashedSessions } from './hashed-sessions.ts';
import { type SendMail, toMails } from './mail.ts';
import { departedSchema } from './departed.ts';
import { deletion, departures } from './departure.ts';
import { mustBeProved, signInByOidc } from './oidc.ts';
import { type Acting, actingFor, organizations, toOwnRoles } from './organizations.ts';
import { declaredPages } from './pages.ts';
import { passkeys } from './passkeys.ts';
import { refreshTokens } from './refresh.ts';
import { secondFactor } from './second-factor.ts';
import type { PeopleSettings } from './settings.ts';

/** Signs the claims of an access token; development's own issuer does. */
export type SignToken = (claims: Readonly<Record<string, unknown>>) => Promise<string>;

export interface AuthOptions {
  readonly settings: PeopleSettings;
  readonly database: PeopleDatabase;
  /** Absent: tokens are signed with keys of the database, which are renewed. */
  readonly signToken: SignToken | undefined;
  readonly mail: SendMail;
  /** What better-auth has to say that is no mistake of one request. */
  logError(message: string): void;
  now(): number;
  /** Called before an account is deleted, to end what else is theirs. */
  departs(subject: string): Promise<void>;
}

const daySeconds = 86_400;

/** Argon2id with 19 MiB and two passes, the least that OWASP asks for (cheatsheetseries.owasp.org, Password Storage). */
const argon2id = { algorithm: 'argon2id', memoryCost: 19_456, timeCost: 2 } as const;

export async function openAuth(given: AuthOptions) {
  const options = toOptions(given);
  await given.database.install(options);
  return betterAuth(options);
}

function toOptions(given: AuthOptions): BetterAuthOptions {
  const { settings, database, mail, logError, now, departs } = given;
  const mails = toMails(settings.url, mail);
  let opened: DBAdapter | undefined;
  const adapter = (): DBAdapter => {
    if (opened === undefined) throw new Error('better-auth has not opened its database yet');
    return opened;
  };
  const attempts = () => new Attempts(adapter(), now);
  const tokens = toTokens(given, (session) => actingFor(adapter(), session));
  return {
    appName: 'tombolo',
    baseURL: settings.url,
    basePath: peopleRoot,
    secret: settings.secret,
    trustedOrigins: [...settings.pages],
    database: (options) => (opened = withHashedSessions(database.adapter(options))),
    telemetry: { enabled: false },
    // Tries are counted by `attempts.ts`, in the database, and requests by the edge.
    rateLimit: { enabled: false },
    logger: { level: 'error', log: (_level, message) => logError(message) },
    // The caller's refusals are the edge's to count. A database's own text may hold an address of mail.
    onAPIError: { onError: (cause) => void (isRefusal(cause) || logError(cause instanceof Error ? cause.name : 'failed')) },
    emailAndPassword: {
      enabled: true,
      // Makes a sign-up answer the same, too, whether or not somebody has that address.
      requireEmailVerification: true,
      minPasswordLength: peopleLimits.passwordCharactersMin,
      maxPasswordLength: peopleLimits.passwordCharactersMax,
      revokeSessionsOnPasswordReset: true,
      password: {
        hash: (password) => Bun.password.hash(password, argon2id),
        verify: ({ hash, password }) => Bun.password.verify(password, hash),
      },
      sendResetPassword: mails.reset,
      onExistingUserSignUp: mails.known,
    },
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: mails.verify },
    session: { expiresIn: peopleLimits.sessionSeconds, updateAge: daySeconds },
    verification: { storeIdentifier: 'hashed' },
    user: {
      // Given by whoever operates this, in the database; nobody gives them to themselves.
      additionalFields: { roles: { type: 'string[]', required: false, input: false } },
      validateUserInfo: mustBeProved,
      deleteUser: deletion({ adapter, now, departs, mail: mails.depart }),
    },
    account: { updateAccountOnSignIn: false },
    advanced: toAdvanced(settings),
    plugins: [
      declaredPages(settings), attemptsSchema, departedSchema, revokingOthers, ...byMail(mails, settings.secret),
      ...secondFactor(attempts), departures(attempts), organizations({ adapter, now, mail: mails.invite }), jwt(tokens),
      refreshTokens({ secret: settings.secret, jwt: tokens, now }), ...signInByOidc(settings.oidc), passkeys(settings),
    ],
  };
}

function isRefusal(cause: unknown): boolean {
  return cause instanceof APIError && cause.statusCode < 500;
}

function toAdvanced({ url }: PeopleSettings): NonNullable<BetterAuthOptions['advanced']> {
  const isSecure = url.startsWith('https:');
  return {
    // With this name a cookie is of this host alone, of all paths, and sent by TLS alone (draft-ietf-httpbis-rfc6265bis §4.1.3.2).
    cookiePrefix: isSecure ? '__Host-tombolo' : 'tombolo',
    useSecureCookies: false,
    // Said, because better-auth takes any page to send people back to where it thinks that it is tested.
    disableOriginCheck: false,
    defaultCookieAttributes: { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' },
    // The edge's word for it, signed; what a client says of its address does not come as far as here.
    ipAddress: { ipAddressHeaders: ['tombolo-address'] },
    // What is sent is sent behind the answer, whose time must not tell whether there is anybody to send to.
    backgroundTasks: { handler: (work) => void work.catch(() => undefined) },
  };
}

type ActingOf = (session: Readonly<Record<string, unknown>>) => Promise<Acting>;

/** Access tokens (SEMANTICS §20), from whoever has a session. */
function toTokens({ settings, signToken }: AuthOptions, acting: ActingOf): JwtOptions {
  const { url, issuer, audience } = settings;
  const isOwn = signToken === undefined;
  return {
    jwks: {
      keyPairConfig: { alg: 'ES256' }, rotationInterval: 30 * daySeconds, gracePeriod: daySeconds,
      ...(isOwn ? {} : { remoteUrl: `${url}/.well-known/jwks.json` }),
    },
    jwt: {
      issuer, audience, expirationTime: `${peopleLimits.tokenSeconds}s`,
      definePayload: async ({ user, session }) => {
        const { tenant, roles } = await acting(session);
        return { ...(tenant === undefined ? {} : { tenant }), roles: [...toOwnRoles(user['roles']), ...roles] };
      },
      ...(isOwn ? {} : { sign: signToken }),
    },
  };
}

/**
 * A second factor (RFC 6238) with codes for the day when it is lost, and the tries of whatever secret is asked of somebody who
 * is known already, by a session or by their password. Those are counted by who it is, before they are looked at.
 *
 *   password ─▶ a cookie of ten minutes ─▶ code of this half minute, once, or a code of the list, once ─▶ session
 */
import type { BetterAuthPlugin } from 'better-auth';
import { APIError, createAuthMiddleware, getSessionFromCtx } from 'better-auth/api';
import { twoFactor } from 'better-auth/plugins/two-factor';
import { Fault } from '../../shared/wire/fault.ts';
import { isJsonObject } from '../../shared/wire/values.ts';
import type { Attempts, Guarded } from './attempts.ts';
import { ownSecrets } from './guarded.ts';

const totpPath = '/two-factor/verify-totp';

/** Where whoever has a second factor is given a session: before that factor, which takes it back, behind it, or by a passkey. */
const sessionsOf: ReadonlySet<string> = new Set([
  '/sign-in/email', '/change-password', totpPath, '/two-factor/verify-backup-code', '/two-factor/disable',
  '/passkey/verify-authentication',
]);

type Context = Parameters<typeof getSessionFromCtx>[0];

export function secondFactor(attempts: () => Attempts) {
  return [
    // Its own lock would look at many codes that come at once, and `attempts` at none too many.
    twoFactor({ accountLockout: { enabled: false } }),
    {
      id: 'tombolo-own-tries',
      hooks: {
        before: [{ matcher: isOwnSecret, handler: createAuthMiddleware(async (context) => mustTake(attempts(), context)) }],
        after: [{ matcher: isOwnSecret, handler: createAuthMiddleware(async (context) => succeed(attempts(), context)) }],
      },
      init: () => ({ options: { databaseHooks: { session: { create: { before: mustHaveBoth } } } } }),
    },
  ] as const satisfies readonly BetterAuthPlugin[];
}

function isOwnSecret({ path }: { readonly path?: string | undefined }): boolean {
  return path !== undefined && ownSecrets.has(path);
}

function triesOf(userId: string): readonly Guarded[] {
  return [{ guard: 'person', whose: userId }];
}

async function mustTake(attempts: Attempts, context: Context): Promise<void> {
  const userId = await whoIs(context);
  if (userId === undefined) return;
  await attempts.mustTake(triesOf(userId)).catch(asRefusal);
  const body: unknown = context.body;
  const code = isJsonObject(body) ? body['code'] : undefined;
  if (context.path !== totpPath || typeof code !== 'string') return;
  // RFC 6238 §5.2: no code a second time. It is taken for half a minute before and after its own.
  const spent = new Bun.CryptoHasher('sha256').update(`${userId}:${code}`).digest('base64url');
  if (!(await attempts.isFirst(`totp:${spent}`, codeTakenMs))) throw APIError.from('UNAUTHORIZED', codeSpent);
}

const codeTakenMs = 120_000;
const codeSpent = { code: 'CODE_SPENT', message: 'This code was sent before; wait for the next' } as const;

async function succeed(attempts: Attempts, context: Context): Promise<void> {
  if ('returned' in context.context && context.context.returned instanceof Error) return;
  const userId = context.context.newSession?.user.id ?? (await whoIs(context));
  if (userId !== undefined) await attempts.succeed(triesOf(userId));
}

/** Whose session this is, or who has shown their password and not yet the second factor. */
async function whoIs(context: Context): Promise<string | undefined> {
  const session = await getSessionFromCtx(context);
  if (session !== null) return session.user.id;
  const { name } = context.context.createAuthCookie('two_factor');
  const pending = await context.getSignedCookie(name, context.context.secret);
  if (typeof pending !== 'string') return undefined;
  return (await context.context.internalAdapter.findVerificationValue(pending))?.value;
}

/** better-auth asks for the second factor behind a password alone: a code or a link of a mail would be one factor of one. */
async function mustHaveBoth({ userId }: { readonly userId: string }, context: Context | null): Promise<void> {
  if (context === null || sessionsOf.has(context.path)) return;
  const user = await context.context.internalAdapter.findUserById(userId);
  if (user !== null && 'twoFactorEnabled' in user && user.twoFactorEnabled === true) throw APIError.from('FORBIDDEN', passwordNeeded);
}

const passwordNeeded = { code: 'PASSWORD_NEEDED', message: 'Whoever has a second factor signs in with their password and that' } as const;

export function asRefusal(cause: unknown): never {
  if (!(cause instanceof Fault)) throw cause;
  throw new APIError('TOO_MANY_REQUESTS', { code: 'LIMIT_EXCEEDED', message: 'Too many tries; wait before the next' }, cause.headers);
}

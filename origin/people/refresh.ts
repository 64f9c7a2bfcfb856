/**
 * Refresh tokens, for programs without cookies (SEMANTICS §20): each is used once, for an access token and the next of its family.
 * A session has one family, and ends with it.
 *
 *   session's token ─▶ first ─▶ used: next ─▶ used: next ─▶ …
 *                               again within 10 s: the same next · again later: the session ends
 *
 * RFC 9700 §4.14.2 ends a family when one of its tokens comes a second time. A program whose answer was lost, or that asks from
 * two places at once, sends the newest a second time too. Within the grace it gets the next again, the same one, so that a thief
 * who comes within it has no family of their own: whichever of the two uses a token behind the other ends it.
 */
import type { BetterAuthPlugin, DBAdapter } from 'better-auth';
import { APIError, createAuthEndpoint } from 'better-auth/api';
import { getJwtToken, type JwtOptions } from 'better-auth/plugins/jwt';
import * as z from 'zod';
import { peopleLimits } from '../../shared/people/limits.ts';
import { isEqualText } from '../../shared/wire/equal-text.ts';
import { isStoredToken } from './hashed-sessions.ts';

const model = 'refresh';

const graceMs = 10_000;

interface Family {
  /** Of 132 random bits: whoever names it has had a token of it. */
  readonly family: string;
  readonly sessionId: string;
  /** SHA-256 of the one that is to be used, and of the one that was used last. */
  readonly current: string;
  readonly previous: string;
  readonly usedAt: Date;
  readonly expiresAt: Date;
}

/** The table, as better-auth makes it. */
const schema = {
  [model]: {
    fields: {
      family: { type: 'string', required: true, unique: true, input: false },
      sessionId: { type: 'string', required: true, input: false },
      current: { type: 'string', required: true, input: false },
      previous: { type: 'string', required: true, input: false },
      used: { type: 'number', required: true, input: false },
      usedAt: { type: 'date', required: true, input: false },
      expiresAt: { type: 'date', required: true, input: false },
    },
  },
} as const satisfies BetterAuthPlugin['schema'];

export interface RefreshOptions {
  readonly secret: string;
  readonly jwt: JwtOptions;
  now(): number;
}

type Context = Parameters<typeof getJwtToken>[0];

const tokenOfSession = z.object({ token: z.string().max(256) });
const tokenOfFamily = z.object({ refreshToken: z.string().max(256) });

export function refreshTokens({ secret, jwt, now }: RefreshOptions) {
  const families = (context: Context) => new Families(context, secret, now);
  const give = async (context: Context, { refreshToken, session, user }: Given) => {
    Object.assign(context.context, { session: { session, user } });
    return context.json({ token: await getJwtToken(context, jwt), expiresIn: peopleLimits.tokenSeconds, refreshToken });
  };
  return {
    id: 'tombolo-refresh',
    schema,
    $ERROR_CODES: { REFRESH_INVALID: refreshInvalid, SESSION_INVALID: sessionInvalid },
    endpoints: {
      /** For whoever has the token of a session, which the answer of a sign-in says. */
      beginRefresh: createAuthEndpoint('/refresh/begin', { method: 'POST', body: tokenOfSession }, async (context) =>
        give(context, await families(context).begin(context.body.token))),
      refresh: createAuthEndpoint('/refresh', { method: 'POST', body: tokenOfFamily }, async (context) =>
        give(context, await families(context).use(context.body.refreshToken))),
      /** Signs out. A token that is none any more is answered alike (RFC 7009 §2.2). */
      endRefresh: createAuthEndpoint('/refresh/end', { method: 'POST', body: tokenOfFamily }, async (context) => {
        await families(context).end(context.body.refreshToken);
        return context.json({ success: true });
      }),
    },
  } as const satisfies BetterAuthPlugin;
}

type Found = NonNullable<Awaited<ReturnType<Context['context']['internalAdapter']['findSession']>>>;

interface Given extends Found {
  readonly refreshToken: string;
}

class Families {
  readonly #internal: Context['context']['internalAdapter'];
  readonly #adapter: DBAdapter;
  readonly #secret: string;
  readonly #now: () => number;

  constructor({ context: { internalAdapter, adapter } }: Context, secret: string, now: () => number) {
    this.#internal = internalAdapter;
    this.#adapter = adapter;
    this.#secret = secret;
    this.#now = now;
  }

  /** A session that has a family has another from then on. */
  async begin(token: string): Promise<Given> {
    const found = isStoredToken(token) ? null : await this.#internal.findSession(token);
    if (found === null || found.session.expiresAt.getTime() <= this.#now()) throw APIError.from('UNAUTHORIZED', sessionInvalid);
    const [family, secret] = [randomText(familyBytes), randomText(secretBytes)];
    const { id: sessionId } = found.session;
    await this.#adapter.deleteMany({ model, where: [{ field: 'sessionId', value: sessionId }] });
    const data = { family, sessionId, current: digestOf(secret), previous: '', used: 0, usedAt: new Date(this.#now()) };
    await this.#adapter.create({ model, data: { ...data, expiresAt: this.#end() } });
    return { ...found, refreshToken: toText(family, secret) };
  }

  async use(text: string): Promise<Given> {
    const { family, secret } = mustParse(text);
    const next = this.#next(family, secret);
    if (await this.#rotate(family, secret, next)) return { ...(await this.#mustSession(family)), refreshToken: toText(family, next) };
    const known = await this.#find(family);
    if (known === null) throw refused();
    const found = await this.#mustSession(family);
    const isLast = isEqualText(digestOf(secret), known.previous);
    if (isLast && this.#now() - known.usedAt.getTime() <= graceMs) return { ...found, refreshToken: toText(family, next) };
    await this.#internal.deleteSession(found.session.token);
    throw refused();
  }

  async end(text: string): Promise<void> {
    const { family, secret } = mustParse(text);
    const known = await this.#find(family);
    if (known === null || ![known.current, known.previous].some((digest) => isEqualText(digestOf(secret), digest))) return;
    const found = await this.#session(known);
    if (found !== undefined) await this.#internal.deleteSession(found.session.token);
  }

  /** One conditional write: of many at once with the same token, one rotates. */
  async #rotate(family: string, secret: string, next: string): Promise<boolean> {
    const before = digestOf(secret);
    const now = new Date(this.#now());
    const where = [
      { field: 'family', value: family }, { field: 'current', value: before }, { field: 'expiresAt', operator: 'gt', value: now },
    ] as const;
    const set = { current: digestOf(next), previous: before, usedAt: now, expiresAt: this.#end() };
    return (await this.#adapter.incrementOne({ model, where: [...where], increment: { used: 1 }, set })) !== null;
  }

  #find(family: string): Promise<Family | null> {
    return this.#adapter.findOne<Family>({ model, where: [{ field: 'family', value: family }] });
  }

  async #mustSession(family: string): Promise<Found> {
    const known = await this.#find(family);
    const found = known === null || known.expiresAt.getTime() <= this.#now() ? undefined : await this.#session(known);
    if (found === undefined) throw refused();
    return found;
  }

  /** The session, which its use keeps from ending, as a cookie's does. */
  async #session({ sessionId }: Family): Promise<Found | undefined> {
    const where = [{ field: 'id', value: sessionId }];
    const session = await this.#adapter.findOne<Found['session']>({ model: 'session', where });
    if (session === null || session.expiresAt.getTime() <= this.#now()) return undefined;
    const user = await this.#internal.findUserById(session.userId);
    if (user === null) return undefined;
    const update = { expiresAt: this.#end(), updatedAt: new Date(this.#now()) };
    const isOld = update.expiresAt.getTime() - session.expiresAt.getTime() > dayMs;
    if (isOld) await this.#adapter.update({ model: 'session', where, update });
    return { session, user };
  }

  #end(): Date {
    return new Date(this.#now() + peopleLimits.sessionSeconds * 1_000);
  }

  /** Computed, so that it can be given twice while the database has its digest alone. */
  #next(family: string, secret: string): string {
    return new Bun.CryptoHasher('sha256', this.#secret).update(`refresh:${family}:${secret}`).digest('base64url');
  }
}

const dayMs = 86_400_000;
const familyBytes = 18;
const secretBytes = 32;
const form = /^tbr_([\w-]{24})([\w-]{43})$/;

function toText(family: string, secret: string): string {
  return `tbr_${family}${secret}`;
}

function mustParse(text: string): { readonly family: string; readonly secret: string } {
  const [, family, secret] = form.exec(text) ?? [];
  if (family === undefined || secret === undefined) throw refused();
  return { family, secret };
}

function randomText(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64url');
}

function digestOf(secret: string): string {
  return new Bun.CryptoHasher('sha256').update(secret).digest('base64url');
}

/** One refusal, whether it never was, is over, was used, or its session ended. */
function refused(): APIError {
  return APIError.from('UNAUTHORIZED', refreshInvalid);
}

const refreshInvalid = { code: 'REFRESH_INVALID', message: 'The refresh token is none, or none any more: sign in' } as const;

const sessionInvalid = { code: 'SESSION_INVALID', message: 'There is no such session: sign in' } as const;

/**
 * Session tokens at rest: the database has their SHA-256 alone, so that who reads it, or a backup, signs in with none of them.
 * better-auth keeps them as they are; this stands between it and its adapter. A session that was asked for by its token is
 * given back with that token; in a list of sessions each has its digest, by which it can be revoked too. A digest opens
 * nothing: what comes in a cookie is signed, and nobody is given a signature over a digest.
 */
import type { BetterAuthPlugin, DBAdapter, DBTransactionAdapter, Where } from 'better-auth';
import { APIError, createAuthEndpoint, type getSessionFromCtx, sensitiveSessionMiddleware } from 'better-auth/api';

const mark = 'sha256.';

/** Whether it is a digest, which the database has and lists show: it is no session's token to whoever sends it. */
export function isStoredToken(token: string): boolean {
  return token.startsWith(mark);
}

function toStoredToken(token: string): string {
  return isStoredToken(token) ? token : mark + new Bun.CryptoHasher('sha256').update(token).digest('base64url');
}

interface Created<Row> {
  readonly model: string;
  readonly data: Omit<Row, 'id'>;
}

/** Everything that names a session's token, on its way there and back. */
function hashed(adapter: DBTransactionAdapter): DBTransactionAdapter {
  const asked = (model: string, where: Where[]): Where[] => (model === 'session' ? where.map(toStoredWhere) : where);
  const stored = <Row extends Record<string, unknown>>(model: string, row: Row): Row =>
    (model === 'session' && typeof row['token'] === 'string' ? { ...row, token: toStoredToken(row['token']) } : row);
  return {
    ...adapter,
    create: async <Row extends Record<string, unknown>, Made = Row>(call: Created<Row>) => {
      const made = await adapter.create<Row, Made>({ ...call, data: stored(call.model, call.data) });
      const { token } = call.data as { readonly token?: unknown };
      return call.model === 'session' ? { ...made, token } : made;
    },
    findOne: async (call) => shown(await adapter.findOne({ ...call, where: asked(call.model, call.where) }), call),
    findMany: async (call) => {
      if (call.where === undefined) return adapter.findMany(call);
      const rows = await adapter.findMany({ ...call, where: asked(call.model, call.where) });
      return rows.map((row) => shown(row, { model: call.model, where: call.where ?? [] })) as never;
    },
    update: async (call) =>
      shown(await adapter.update({ ...call, where: asked(call.model, call.where), update: stored(call.model, call.update) }), call),
    updateMany: (call) =>
      adapter.updateMany({ ...call, where: asked(call.model, call.where), update: stored(call.model, call.update) }),
    delete: (call) => adapter.delete({ ...call, where: asked(call.model, call.where) }),
    deleteMany: (call) => adapter.deleteMany({ ...call, where: asked(call.model, call.where) }),
    consumeOne: async (call) => shown(await adapter.consumeOne({ ...call, where: asked(call.model, call.where) }), call),
  };
}

function toStoredWhere(where: Where): Where {
  const { field, value } = where;
  if (field !== 'token') return where;
  if (typeof value === 'string') return { ...where, value: toStoredToken(value) };
  return Array.isArray(value) ? { ...where, value: value.map((each) => toStoredToken(String(each))) } : where;
}

/** A row that was asked for by a token has that token again. */
function shown<Row>(row: Row, { model, where }: { readonly model: string; readonly where: readonly Where[] }): Row {
  if (model !== 'session' || row === null || typeof row !== 'object' || !('token' in row)) return row;
  const named = where.flatMap(({ field, value }) => (field === 'token' ? [value].flat() : []));
  const token = named.find((each) => typeof each === 'string' && toStoredToken(each) === row.token);
  return token === undefined ? row : { ...row, token };
}

export function withHashedSessions(adapter: DBAdapter): DBAdapter {
  const { transaction } = adapter;
  return {
    ...adapter, ...hashed(adapter),
    transaction: (work) => transaction((inside) => work(hashed(inside))),
  };
}

/**
 * In place of better-auth's own, which would look for the token of the session that asks among those of a list, find none that
 * is equal, and end that one too.
 */
export const revokingOthers = {
  id: 'tombolo-revoking-others',
  endpoints: {
    revokeOtherSessions: createAuthEndpoint('/revoke-other-sessions', { method: 'POST', use: [sensitiveSessionMiddleware] }, endOthers),
  },
} as const satisfies BetterAuthPlugin;

type Context = Parameters<typeof getSessionFromCtx>[0];

async function endOthers(context: Context) {
  const { session, adapter } = context.context;
  if (session === null) throw APIError.from('UNAUTHORIZED', { code: 'UNAUTHORIZED', message: 'Sign in' });
  const { user: { id }, session: { token } } = session;
  await adapter.deleteMany({ model: 'session', where: [{ field: 'userId', value: id }, { field: 'token', operator: 'ne', value: token }] });
  return context.json({ status: true });
}

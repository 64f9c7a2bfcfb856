/**
 * The door: what is too large, goes nowhere or comes from an undeclared page ends here, before anything is
 * parsed or paid for.
 *
 * Of a client's headers the origin sees those that `forward` names, and no others: `tombolo-*`, `signature*`,
 * `expect` and whatever else is sent along go no further than the edge.
 */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import { mustRoute, type Route } from '../../shared/contract/routes.ts';
import { hopHeaders } from '../../shared/hop/profile.ts';
import type { EdgeContext, EdgeEnv } from '../context.ts';
import { toOptionsAnswer } from '../cors.ts';
import { edgeLimits } from '../limits.ts';
import type { Stage } from '../path.ts';
import { tooLarge } from '../read-body.ts';
import { SentHeaders } from '../sent-headers.ts';
import { type Target, toTarget } from '../target.ts';

export interface GuardOptions {
  /** Paths that the edge answers itself, each with its one method. */
  readonly ownRoutes: Readonly<Record<string, 'GET' | 'POST'>>;
}

export function guard({ ownRoutes }: GuardOptions): Stage {
  return function guard(c) {
    return admit(c, ownRoutes);
  };
}

/** Throws what must not pass, answers OPTIONS, and otherwise names route and deadline for the stages behind. */
function admit(c: Context<EdgeEnv>, ownRoutes: GuardOptions['ownRoutes']): Response | undefined {
  const { raw } = c.req;
  const { method } = raw;
  const { contract, settings } = c.get('context');
  const target = toTarget(raw.url);
  const sent = new SentHeaders(raw.headers);
  c.set('target', target);
  c.set('sent', sent);
  mustFit(target, sent);
  c.set('deadlineAt', Date.now() + limits.requestMsMax);
  const own = ownRoutes[target.path];
  if (method === 'OPTIONS') return toOptionsAnswer(sent, own === undefined ? allowOf(contract, target.path) : `${own}, OPTIONS`, settings.corsOrigins);
  if (own !== undefined) return mustBeMethod(own, method);
  const route = mustRoute(contract, method, target.path);
  mustBeShort(sent, route.verb === 'import' ? limits.importBytesMax : limits.bodyBytesMax);
  c.set('route', route);
  if (route.verb === 'import') c.set('deadlineAt', Date.now() + limits.importMsMax);
  return undefined;
}

function mustFit({ path, query }: Target, sent: SentHeaders): void {
  if (path.length + query.length > limits.targetBytesMax) throw new Fault('target_too_long', { detail: `path and query have at most ${limits.targetBytesMax} bytes` });
  if (sent.bytes > limits.headerBytesMax) throw new Fault('headers_too_large', { detail: `all header fields together have at most ${limits.headerBytesMax} bytes` });
  if (sent.bytes <= edgeLimits.carriedCharactersMax) return;
  // Those that go on to the origin, beside what the edge adds itself.
  for (const name of hopHeaders)
    if ((sent.get(name)?.length ?? 0) > edgeLimits.carriedCharactersMax) throw new Fault('headers_too_large', { detail: `${name} has at most ${edgeLimits.carriedCharactersMax} characters` });
}

/** What is declared too long is refused at once; what lies about it is counted while it is read. */
function mustBeShort(sent: SentHeaders, bytesMax: number): void {
  const length = sent.get('content-length');
  if (length !== null && !(Number(length) <= bytesMax)) throw tooLarge(bytesMax);
}

function mustBeMethod(own: 'GET' | 'POST', method: string): undefined {
  if (method !== own && !(own === 'GET' && method === 'HEAD')) throw new Fault('method_not_allowed', { headers: { allow: own === 'GET' ? 'GET, HEAD, OPTIONS' : `${own}, OPTIONS` } });
}

/** The table of routes says what a path allows by refusing OPTIONS there; unknown paths refuse as ever. */
function allowOf(contract: EdgeContext['contract'], path: string): string {
  try {
    const { verb }: Route = mustRoute(contract, 'OPTIONS', path);
    throw new Error(`OPTIONS is the verb ${verb}`);
  } catch (thrown) {
    const allow = thrown instanceof Fault ? thrown.headers['allow'] : undefined;
    if (allow === undefined) throw thrown;
    return allow;
  }
}

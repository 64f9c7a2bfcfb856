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
import type { Operation } from '../../shared/operations/operation.ts';
import { mustRoute, optionsOf } from '../../shared/operations/route.ts';
import { hopHeaders } from '../../shared/hop/profile.ts';
import type { EdgeEnv } from '../context.ts';
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
  if (method === 'OPTIONS') return toOptionsAnswer(sent, own === undefined ? optionsOf(contract, target.path) : { allow: `${own}, OPTIONS` }, settings.corsOrigins);
  if (own !== undefined) return mustBeMethod(own, method);
  const route = mustRoute(contract, method, target.path);
  mustBeShort(sent, route.operation.bodyBytesMax);
  c.set('route', route);
  c.set('deadlineAt', Date.now() + headMsMax(route.operation));
  return undefined;
}

/** The head of a moment comes like any other answer; its stream goes on. */
function headMsMax({ answers, msMax }: Operation): number {
  return answers === 'moment' ? limits.requestMsMax : msMax;
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

/**
 * What is asked for: a resource's operation, a path that the edge answers itself, or OPTIONS. What goes nowhere
 * or declares too long a body ends here.
 */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { mustRoute, optionsOf } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { toOptionsAnswer } from '../cors.ts';
import type { Stage } from '../path.ts';
import { tooLarge } from '../read-body.ts';
import type { SentHeaders } from '../sent-headers.ts';

export interface RouteOptions {
  /** Paths that the edge answers itself, each with its one method. */
  readonly ownRoutes: Readonly<Record<string, 'GET' | 'POST'>>;
}

export function route({ ownRoutes }: RouteOptions): Stage {
  return function route(c) {
    return find(c, ownRoutes);
  };
}

/** Throws what must not pass, answers OPTIONS, and otherwise names route and deadline for the stages behind. */
function find(c: Context<EdgeEnv>, ownRoutes: RouteOptions['ownRoutes']): Response | undefined {
  const { method } = c.req.raw;
  const { contract, settings } = c.get('context');
  const { path } = c.get('target');
  const sent = c.get('sent');
  const own = ownRoutes[path];
  if (method === 'OPTIONS') return toOptionsAnswer(sent, own === undefined ? optionsOf(contract, path) : { allow: `${own}, OPTIONS` }, settings.corsOrigins);
  if (own !== undefined) return mustBeMethod(own, method);
  const route = mustRoute(contract, method, path);
  mustBeShort(sent, route.operation.bodyBytesMax);
  c.set('route', route);
  c.set('deadlineAt', Date.now() + headMsMax(route.operation));
  return undefined;
}

/** The head of a moment comes like any other answer; its stream goes on. */
function headMsMax({ answers, msMax }: Operation): number {
  return answers === 'moment' ? limits.requestMsMax : msMax;
}

/** What is declared too long is refused at once; what lies about it is counted while it is read. */
function mustBeShort(sent: SentHeaders, bytesMax: number): void {
  const length = sent.get('content-length');
  if (length !== null && !(Number(length) <= bytesMax)) throw tooLarge(bytesMax);
}

function mustBeMethod(own: 'GET' | 'POST', method: string): undefined {
  if (method !== own && !(own === 'GET' && method === 'HEAD')) throw new Fault('method_not_allowed', { headers: { allow: own === 'GET' ? 'GET, HEAD, OPTIONS' : `${own}, OPTIONS` } });
}

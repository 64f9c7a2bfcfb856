/**
 * What is asked for: a resource's operation, a path that the edge answers itself, or OPTIONS. What goes nowhere
 * or declares too long a body ends here.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { isForEdgeAlone, mustRoute, optionsOf } from '../../shared/operations/route.ts';
import { dialectOf } from '../../shared/versions/dialect.ts';
import { type OwnRoute, ownRouteOf } from '../own-routes.ts';
import { toOptionsAnswer } from '../request/cors.ts';
import { see } from '../request/line.ts';
import { tooLarge } from '../request/read-body.ts';
import type { SentHeaders } from '../request/request-headers.ts';
import type { Routed, Versioned } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function route(): Stage<Versioned, Routed> {
  return function route(request, next) {
    const { raw: { method }, context: { contract, settings }, target: { path }, sent, speech } = request;
    if (isForEdgeAlone(path)) throw new Fault('route_not_found', { detail: 'no such resource' });
    const own = ownRouteOf(path, contract.versions, settings);
    if (method === 'OPTIONS') {
      return toOptionsAnswer(sent, own === undefined ? optionsOf(contract, path) : { allow: own.allow }, settings.corsOrigins);
    }
    if (own !== undefined) {
      request.seen.operation = own.name;
      return next({ ...request, own: mustTake(own, method) });
    }
    const found = mustRoute(contract, method, path);
    see(request, found);
    mustBeShort(sent, found.operation.bodyBytesMax);
    const deadlineAt = Date.now() + headMsMax(found.operation);
    if (speech === undefined) return next({ ...request, route: found, deadlineAt });
    return next({ ...request, route: found, deadlineAt, dialect: dialectOf(contract, found, speech.version) });
  };
}

/** The head of a moment comes like any other answer; its stream goes on. */
function headMsMax({ answers, msMax }: Operation): number {
  return answers === 'moment' ? limits.requestMsMax : msMax;
}

/** Refuses at once what is declared too long; a wrong `Content-Length` is found while the body is read. */
function mustBeShort(sent: SentHeaders, bytesMax: number): void {
  const length = sent.get('content-length');
  if (length !== null && !(Number(length) <= bytesMax)) throw tooLarge(bytesMax);
}

function mustTake(own: OwnRoute, method: string): OwnRoute {
  if (own.methods.some((taken) => taken === method)) return own;
  if (method === 'HEAD' && own.methods.length === 1 && own.methods[0] === 'GET') return own;
  throw new Fault('method_not_allowed', { headers: { allow: own.allow } });
}

/** A request like one that was answered from the cache goes there at once: its plan and what is fresh are asked, nothing is read again. */
import { isLikeApiKey } from '../../shared/api-keys/key-text.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { parseDirectives } from '../cache/directives.ts';
import type { Entry } from '../cache/entry.ts';
import type { Recognised } from '../cache/recognised.ts';
import { bearerOf } from '../identity/bearer.ts';
import type { Verified } from '../identity/tokens.ts';
import { isBarePath } from '../own-routes.ts';
import { see } from '../request/line.ts';
import { tell } from '../request/arrival.ts';
import type { Admitted, Identity, Validated } from '../request/request.ts';
import type { Answer, Stage } from '../runner.ts';
import { answered, remembered, serve } from './cache.ts';
import { spend, spendMore } from './limit.ts';

const none = parseDirectives(null);

export function recognise(): Stage<Admitted, Admitted> {
  return function recognise(given, next) {
    const header = given.sent.get('authorization');
    const recalled = header === null ? undefined : recall(given, header);
    // Who it is, or that the token is not taken, is found out later.
    if (header !== null && recalled === undefined) return next(given);
    const request = recalled === undefined ? given : { ...given, recalled };
    const { principal, expiresAt: signedInUntil } = recalled ?? nobody;
    const known = request.context.recognised.find(request, principal);
    if (known === undefined) return next(request);
    const whole = toWhole(given, { principal, signedInUntil, stream: undefined }, known.found);
    const held = remembered(whole, known.lookup, none);
    return held === undefined ? next(request) : carryOn(whole, known, held);
  };
}

/** Each member by its name: this is every hit's, and a copy of objects takes five times as long. */
function toWhole(
  { raw, requestId, waitUntil, told, seen, timings, context, sent, target, network, deadlineAt }: Admitted,
  { principal, signedInUntil, stream }: Identity,
  { route, cached, preconditions, demanded, body }: Recognised['found'],
): Validated {
  return {
    raw, requestId, waitUntil, told, seen, timings, context, sent, target, network, deadlineAt,
    principal, signedInUntil, stream, route, cached, preconditions, demanded, body,
  };
}

/** As the stages between do, each of which says something of what is asked. */
function carryOn(request: Validated, { lookup, found: { route, cached } }: Recognised, held: Entry): Answer {
  const { context: { apiKeys, contract }, principal } = request;
  see(request, route);
  request.seen.principal = principal;
  apiKeys.noteUse(request, principal);
  tell(request, 'api-version', contract.versions.current.name);
  const { times } = cached ?? {};
  let isAtOnce = true;
  const answer = spend(request, (within): Answer => {
    if (times !== undefined) return spendMore(within, times - 1).then(() => answered(within, lookup, none));
    // What was fresh before the counter was asked may not be when it has answered.
    return isAtOnce ? serve(within, lookup, held, 'hit') : answered(within, lookup, none);
  });
  isAtOnce = false;
  return answer;
}

const nobody = { principal: anonymous, expiresAt: undefined } as const;

/** Whom the header names, where this isolate knows that at once. The edge's own paths ask nobody. */
function recall(request: Admitted, header: string): Verified | undefined {
  const { context: { tokens, apiKeys }, target, waitUntil } = request;
  const token = isBarePath(target.path) ? undefined : bearerOf(header);
  if (token === undefined) return undefined;
  return isLikeApiKey(token) ? apiKeys.recall(request, token) : tokens.recall(token, waitUntil);
}

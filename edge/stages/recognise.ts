/** A request like one that was answered from the cache goes there at once: its plan and what is fresh are asked, nothing is read again. */
import { isLikeApiKey } from '../../shared/api-keys/key-text.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { parseDirectives } from '../cache/directives.ts';
import { bearerOf } from '../identity/bearer.ts';
import type { Verified } from '../identity/tokens.ts';
import { see } from '../request/line.ts';
import { tell } from '../request/arrival.ts';
import type { Admitted } from '../request/request.ts';
import type { Stage } from '../runner.ts';
import { remembered, serve } from './cache.ts';
import { spend } from './limit.ts';

const none = parseDirectives(null);

export function recognise(): Stage<Admitted, Admitted> {
  return function recognise(given, next) {
    const header = given.sent.get('authorization');
    const recalled = header === null ? undefined : recall(given, header);
    // Who it is, or that the token is not taken, is found out later.
    if (header !== null && recalled === undefined) return next(given);
    const request = recalled === undefined ? given : { ...given, recalled };
    const { principal, expiresAt: signedInUntil } = recalled ?? nobody;
    const { recognised, contract } = request.context;
    const known = recognised.find(request, principal);
    if (known === undefined) return next(request);
    const { lookup, found } = known;
    see(request, found.route);
    request.seen.principal = principal;
    const whole = Object.assign({ ...request, principal, signedInUntil, stream: undefined }, found);
    const held = remembered(whole, lookup, none);
    if (held === undefined) return next(request);
    tell(request, 'api-version', contract.versions.current.name);
    return spend(whole, (within) => serve(within, lookup, held, 'hit'), found.cached?.times);
  };
}

const nobody = { principal: anonymous, expiresAt: undefined } as const;

/** Whom the header names, where this isolate knows that at once. */
function recall(request: Admitted, header: string): Verified | undefined {
  const { tokens, apiKeys } = request.context;
  const token = bearerOf(header);
  if (token === undefined) return undefined;
  return isLikeApiKey(token) ? apiKeys.recall(request, token) : tokens.recall(token, request.waitUntil);
}

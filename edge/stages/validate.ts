/**
 * Input against the contract: representation, parameters, conditions, body. What passes is what the origin
 * would have taken; the origin checks again, since it may be newer, and the bytes it gets are those received.
 */
import type { Context } from 'hono';
import { parseImportQuery } from '../../shared/contract/import-query.ts';
import { limits } from '../../shared/contract/limits.ts';
import { mustBeWithoutParameters } from '../../shared/contract/parameters.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { parseChangesQuery } from '../../shared/contract/query.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Route } from '../../shared/contract/routes.ts';
import { type BodyVerb, bodyValidator, isBodyVerb } from '../body-validator.ts';
import type { Conditions, EdgeEnv } from '../context.ts';
import { type DemandedToken, demandedToken, mustDemandedPosition } from '../hop/demanded-position.ts';
import { mustAccept, mustContentType } from '../negotiate.ts';
import type { Stage } from '../path.ts';
import { mustText, readUpTo, tooLarge } from '../read-body.ts';

export function validate(): Stage {
  return function validate(c) {
    const route = c.get('route');
    const sent = c.get('sent');
    mustAccept(sent.get('accept'), route.verb);
    mustContentType(sent, route.verb);
    const { query } = c.get('target');
    c.set('read', route.safe && route.verb !== 'changes' ? c.get('context').reads.mustRead(route, query) : mustTakeNone(route, query));
    const conditions = mustPreconditions(route, (name) => sent.get(name));
    c.set('conditions', conditions);
    const demanded = route.safe ? demandedToken(sent) : undefined;
    if (demanded !== undefined) return demand(c, demanded, conditions);
    return isBodyVerb(route.verb) ? mustBeBody(c, route.resource, route.verb) : undefined;
  };
}

function mustTakeNone({ verb }: Route, query: string): undefined {
  if (verb === 'import') parseImportQuery(query);
  else if (verb === 'changes') parseChangesQuery(query);
  else mustBeWithoutParameters(query);
}

async function demand(c: Context<EdgeEnv>, demanded: DemandedToken, conditions: Conditions): Promise<undefined> {
  c.set('conditions', { ...conditions, after: await mustDemandedPosition(demanded, c.get('context').macs) });
}

async function mustBeBody(c: Context<EdgeEnv>, resource: Resource, verb: BodyVerb): Promise<undefined> {
  await takeBody(c);
  await bodyValidator(resource, verb)(c, async () => undefined);
}

/** The bytes are kept for the hop, their text for the validator: Hono parses what stands in its cache. */
async function takeBody(c: Context<EdgeEnv>): Promise<void> {
  const bytes = await readUpTo(c.req.raw.body, limits.bodyBytesMax);
  if (bytes === undefined) throw tooLarge(limits.bodyBytesMax);
  c.set('body', bytes);
  c.req.bodyCache.text = asCached(mustText(bytes));
}

/** Hono declares what it caches as the value, and keeps the promise of it. */
function asCached(text: string): string {
  return Promise.resolve(text) as unknown as string;
}

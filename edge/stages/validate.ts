/**
 * Input against the contract: representation, parameters, conditions, body. What passes is what the origin
 * would have taken; the origin checks again, since it may be newer, and the bytes it gets are those received.
 */
import type { Context, MiddlewareHandler } from 'hono';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { bodyValidator } from '../body-validator.ts';
import type { Conditions, EdgeEnv } from '../context.ts';
import { type DemandedToken, demandedToken, mustDemandedPosition } from '../hop/demanded-position.ts';
import { mustAccept, mustContentType } from '../negotiate.ts';
import type { Stage } from '../path.ts';
import { mustRead, mustText } from '../read-body.ts';

export function validate(): Stage {
  return function validate(c) {
    const route = c.get('route');
    const sent = c.get('sent');
    mustAccept(sent.get('accept'), route.operation);
    mustContentType(sent, route.operation);
    const header = (name: string) => sent.get(name);
    c.set('read', c.get('context').reads.mustRead(route, c.get('target').query, header));
    const conditions = mustPreconditions(route, header);
    c.set('conditions', conditions);
    const demanded = isSafe(route.operation) ? demandedToken(sent) : undefined;
    if (demanded !== undefined) return demand(c, demanded, conditions);
    const validator = bodyValidator(route.resource, route.operation);
    return validator === undefined ? undefined : mustBeBody(c, validator);
  };
}

async function demand(c: Context<EdgeEnv>, demanded: DemandedToken, conditions: Conditions): Promise<undefined> {
  c.set('conditions', { ...conditions, after: await mustDemandedPosition(demanded, c.get('context').macs) });
}

async function mustBeBody(c: Context<EdgeEnv>, validator: MiddlewareHandler<EdgeEnv>): Promise<undefined> {
  await takeBody(c);
  await validator(c, async () => undefined);
}

/** The bytes are kept for the hop, their text for the validator: Hono parses what stands in its cache. */
async function takeBody(c: Context<EdgeEnv>): Promise<void> {
  const bytesMax = c.get('route').operation.bodyBytesMax;
  const bytes = await mustRead(c.req.raw.body, { bytesMax, declared: c.get('sent').get('content-length'), deadlineAt: c.get('deadlineAt') });
  c.set('body', bytes);
  c.req.bodyCache.text = asCached(mustText(bytes));
}

/** Hono declares what it caches as the value, and keeps the promise of it. */
function asCached(text: string): string {
  return Promise.resolve(text) as unknown as string;
}

/** The flood shield: the platform's own counter per address. It is coarse and cheap; plans come behind it. */
import type { MiddlewareHandler } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import type { EdgeEnv } from '../context.ts';
import { floodKey } from '../flood-key.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';

export function limit(): MiddlewareHandler<EdgeEnv> {
  return async function limit(c, next) {
    const address = c.get('sent').get('cf-connecting-ip');
    // Cloudflare sets the header, over whatever a client sent. Without Cloudflare there is none, and no shield.
    if (address !== null && !(await isWithin(c.env.FLOOD, floodKey(address))))
      throw new Fault('limit_exceeded', { detail: 'too many requests from this address', headers: { 'retry-after': String(edgeLimits.floodSeconds) } });
    await next();
  };
}

/** A shield that is itself down lets pass: it protects against load, not against people. */
async function isWithin(flood: RateLimit, key: string): Promise<boolean> {
  try {
    return (await flood.limit({ key })).success;
  } catch (cause) {
    log('warn', 'limit.shield_failed', { cause: toLogged(cause) });
    return true;
  }
}

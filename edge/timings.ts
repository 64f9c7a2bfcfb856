/**
 * When each stage was entered. In development the answer says it (Server-Timing, W3C): a stage's time is what
 * passed until the next one began, and the last one's what passed until the answer was there.
 */
import type { MiddlewareHandler } from 'hono';
import type { EdgeEnv } from './context.ts';

export function serverTiming(): MiddlewareHandler<EdgeEnv> {
  return async function serverTiming(c, next) {
    // Asked of the binding itself: the settings are read by a later stage, and production pays for no clock.
    if ((c.env as { readonly TOMBOLO_ENV?: unknown }).TOMBOLO_ENV !== 'development') return next();
    const timings: [string, number][] = [];
    c.set('timings', timings);
    await next();
    const end = performance.now();
    const shown = timings.map(([stage, enteredAt], index) => `${stage};dur=${((timings[index + 1]?.[1] ?? end) - enteredAt).toFixed(2)}`);
    c.res.headers.set('server-timing', shown.join(', '));
  };
}

export function timed(name: string, stage: MiddlewareHandler<EdgeEnv>): MiddlewareHandler<EdgeEnv> {
  return function timed(c, next) {
    c.get('timings')?.push([name, performance.now()]);
    return stage(c, next);
  };
}

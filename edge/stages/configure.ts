/** Gives the request the isolate's long-lived things; refuses everything while a setting is missing. */
import type { MiddlewareHandler } from 'hono';
import { contextOf, type EdgeEnv, type Served } from '../context.ts';

export function configure(served: Served): MiddlewareHandler<EdgeEnv> {
  return function configure(c, next) {
    c.set('context', contextOf(c.env, served));
    return next();
  };
}

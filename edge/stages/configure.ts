/** Gives the request the isolate's long-lived things; refuses everything while a setting is missing. */
import type { MiddlewareHandler } from 'hono';
import type { Contract } from '../../shared/contract/contract.ts';
import { contextOf, type EdgeEnv } from '../context.ts';

export interface ConfigureOptions {
  readonly contract: Contract;
}

export function configure({ contract }: ConfigureOptions): MiddlewareHandler<EdgeEnv> {
  return function configure(c, next) {
    c.set('context', contextOf(c.env, contract));
    return next();
  };
}

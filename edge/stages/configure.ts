/** Gives the request the isolate's long-lived things; refuses everything while a setting is missing. */
import { contextOf, type Served } from '../context.ts';
import type { Stage } from '../path.ts';

export function configure(served: Served): Stage {
  return function configure(c) {
    c.set('context', contextOf(c.env, served));
    return undefined;
  };
}

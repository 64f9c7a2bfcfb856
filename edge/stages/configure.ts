/** Gives the request the isolate's long-lived things; refuses everything while a setting is missing. */
import { type EdgeContext, type Served, toContext } from '../context.ts';
import type { Host } from '../host/host.ts';
import type { Arrival } from '../request/arrival.ts';
import type { Configured } from '../request/request.ts';
import type { Stage } from '../runner.ts';

/** The first request builds the context. If that fails, this request and the next ones answer what is wrong. */
export function configure(host: Host, served: Served): Stage<Arrival, Configured> {
  let context: EdgeContext | undefined;
  return function configure(request, next) {
    context ??= toContext(host, served);
    const { raw, requestId, waitUntil, told, seen, timings } = request;
    seen.context = context;
    // Every request comes by here: to name each member takes a fifth of the time of a copy.
    return next({ raw, requestId, waitUntil, told, seen, timings, context });
  };
}

/** What a socket of Tombolo has in common with another: the heads that it takes, and how it closes within the time for a stop. */
import http from 'node:http';
import { hopLimits } from '../shared/hop/profile.ts';
import type { Context } from './context.ts';
import type { Origin } from './server.ts';
import type { Started } from './services/services.ts';
import { within } from './within.ts';

/** The time for a stop: less than the ten seconds after which supervisors kill. */
const stopMsMax = 9_500;
/** The share of that time which the services behind the socket may take. */
const behindServerMsMax = 1_500;

/** Bun.serve takes 16 KB unless told here, for the whole process. */
export function takeLongHeads(): void {
  Object.assign(http, { maxHeaderSize: hopLimits.headBytesMax });
}

/** What runs is finished within the time for it, and then cut. `port`: the one that was asked for. */
export function asService(server: Bun.Server<undefined>, port: number): Started<number> {
  return {
    value: server.port ?? port,
    async stop(deadline) {
      await within(deadline - behindServerMsMax - Date.now(), server.stop());
      await server.stop(true);
    },
    state: () => ({ ready: true }),
  };
}

/** What whoever started an origin is given, whichever its socket is. */
export function asOrigin({ services, store, log }: Context, ports: Pick<Origin, 'port' | 'metricsPort'>): Origin {
  return {
    ...ports, log,
    states: () => services.states(),
    storeState: () => store.state(),
    close: () => services.stop(Date.now() + stopMsMax),
  };
}

/** Live streams, stopped before the server: one that is not told to end would keep it from draining. */
export function toStreams({ streams }: Context): Started<void> {
  return { value: undefined, stop: async () => streams.abort(), state: () => ({ ready: true }) };
}

/**
 * Before a socket closes it takes what comes for a while, and asks each client to come by another connection next
 * (RFC 9112 §9.6): whoever stands before several origins has none here then whose end could cross a request.
 * `/ready` is 503 meanwhile. Live streams end after it, so that their clients come back to another origin.
 */
export class Drain {
  readonly #ms: number;
  #hasBegun = false;

  constructor(ms: number) {
    this.#ms = ms;
  }

  /** An answer as it is given now. */
  pass(answer: Response | Promise<Response>): Response | Promise<Response> {
    if (!this.#hasBegun) return answer;
    return answer instanceof Promise ? answer.then(asLast) : asLast(answer);
  }

  asService(): Started<void> {
    return { value: undefined, stop: () => this.#wait(), state: () => ({ ready: true }) };
  }

  async #wait(): Promise<void> {
    if (this.#ms === 0) return;
    this.#hasBegun = true;
    await Bun.sleep(this.#ms);
  }
}

function asLast(answer: Response): Response {
  answer.headers.set('connection', 'close');
  return answer;
}

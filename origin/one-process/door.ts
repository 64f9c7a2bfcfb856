/** The socket of one process: who comes in by it, from where, and for how long. */
import type { JSONWebKeySet } from 'jose';
import { toArrival } from '../../edge/request/arrive.ts';
import type { Arrival } from '../../edge/request/arrival.ts';
import type { Answer } from '../../edge/runner.ts';
import { isHost } from '../../shared/wire/host.ts';
import { limits } from '../../shared/wire/limits.ts';
import { targetOf } from '../host-and-target.ts';
import { keySetAnswer, keySetPath } from '../people/key-set.ts';
import type { People } from '../people/people.ts';
import { readiness } from '../readiness.ts';
import type { Services, Started } from '../services/services.ts';
import { asService, takeLongHeads } from '../socket.ts';
import { senderOf } from './sender.ts';
import type { ServeSettings } from './settings.ts';

export interface DoorOptions extends ServeSettings {
  /** The key set of development, served at `/.well-known/jwks.json`. */
  readonly jwks: JSONWebKeySet | undefined;
  readonly people: People | undefined;
  readonly services: Services;
}

type Server = Bun.Server<undefined>;

/** Bun's own wait on a quiet connection: past a request's, so that who is late is told so. */
const idleSeconds = (2 * limits.requestMsMax) / 1_000;

export class Door {
  readonly #options: DoorOptions;
  readonly #variables: { readonly TOMBOLO_ENV: string };
  /** Requests that the pipeline has not answered yet. */
  readonly #open = new Map<string, Request>();
  #server: Server | undefined;

  constructor(options: DoorOptions) {
    this.#options = options;
    this.#variables = { TOMBOLO_ENV: options.settings.environment };
  }

  open(answer: (arrival: Arrival) => Answer): Started<number> {
    const { settings, tls } = this.#options;
    takeLongHeads();
    const server: Server = Bun.serve({
      hostname: settings.originHost,
      port: settings.edgePort,
      maxRequestBodySize: limits.importBytesMax,
      idleTimeout: idleSeconds,
      ...(tls === undefined ? {} : { tls, http2: true }),
      fetch: (request) => this.#own(request) ?? this.#answer(request, answer),
    });
    this.#server = server;
    return asService(server, settings.edgePort);
  }

  /** Lifts the server's limits from a request: Bun cuts bodies slower than 16 KB/s and streams that are quiet for 10 s. */
  untimed(requestId: string): void {
    const request = this.#open.get(requestId);
    if (request !== undefined) this.#server?.timeout(request, 0);
  }

  addressOf(request: Request): string | undefined {
    const socket = this.#server?.requestIP(request)?.address;
    const { proxies } = this.#options;
    return proxies === undefined ? socket : senderOf(socket, request.headers.get('x-forwarded-for'), proxies);
  }

  #answer(raw: Request, answer: (arrival: Arrival) => Answer): Answer {
    const arrival = toArrival(raw, this.#variables, (work) => void work.catch(() => undefined));
    const { requestId } = arrival;
    this.#open.set(requestId, raw);
    const answered = answer(arrival);
    if (answered instanceof Promise) return answered.finally(() => this.#open.delete(requestId));
    this.#open.delete(requestId);
    return answered;
  }

  /** What is about this process and not about the API: readiness, and the keys of tokens. */
  #own(request: Request): Response | Promise<Response> | undefined {
    if (request.method !== 'GET') return undefined;
    const path = targetOf(request);
    const { jwks, services } = this.#options;
    if (path !== '/ready' && path !== keySetPath) return undefined;
    // The pipeline has the words for that.
    if (!isHost(request.headers.get('host'))) return undefined;
    if (path === '/ready') return readiness(services);
    return jwks === undefined ? keySetAnswer(this.#options.people) : Response.json(jwks);
  }
}

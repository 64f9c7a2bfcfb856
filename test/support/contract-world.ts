/** Edge and origin in this process, before any contract and on either engine: what is asked goes by a socket, as from a client. */
import { Database } from 'bun:sqlite';
import { toPipeline } from '../../edge/pipeline.ts';
import { toArrival } from '../../edge/request/arrive.ts';
import { toAssets } from '../../origin/dev/local-assets.ts';
import { toOrigin } from '../../origin/one-process/ask.ts';
import { openHost } from '../../origin/one-process/host.ts';
import { startPurge } from '../../origin/purge/start-purge.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Plans } from '../../shared/limits/plans.ts';
import { offered } from '../../shared/resources/plans.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { EventStream } from './event-stream.ts';
import { Issuer } from './issuer.ts';
import { OpenedOrigin } from './opened-origin.ts';
import { testKeys } from './scripted-origin.ts';
import type { Engine } from './whole-world.ts';

export interface WorldAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Empty where the body is no JSON. */
  readonly json: JsonObject;
}

type Headed = Readonly<Record<string, string>>;

export class ContractWorld implements AsyncDisposable {
  readonly origin: OpenedOrigin;
  readonly issuer = new Issuer();
  /** What the edge has asked the origin for, by method and target. */
  readonly asked: string[] = [];
  /** Whether questions to the origin fail, as while it is down. */
  isAway = false;
  readonly #file = new Database(':memory:');
  #server: Bun.Server<undefined> | undefined;

  private constructor(origin: OpenedOrigin) {
    this.origin = origin;
  }

  /** `plans` have a plan "bench", which is that of callers without a token. */
  static async on(engine: Engine, contract: Contract, plans: Plans = offered): Promise<ContractWorld> {
    const world = new ContractWorld(await OpenedOrigin.on(engine, contract, { plans }));
    await world.#open(contract, plans);
    return world;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server?.port}`;
  }

  async request(path: string, init: RequestInit & { readonly json?: unknown } = {}): Promise<WorldAnswer> {
    const { json, ...rest } = init;
    const response = await fetch(`${this.url}${path}`, json === undefined ? { redirect: 'manual', ...rest } : {
      method: 'POST', ...rest, headers: { 'content-type': 'application/json', ...(rest.headers as Headed) }, body: JSON.stringify(json),
    });
    const text = await response.text();
    const isJson = /^application\/(problem\+|vnd\.tombolo\.v\d+\+)?json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, headers: response.headers, text, json: isJson && text !== '' ? JSON.parse(text) : {} };
  }

  patch(path: string, body: JsonObject, headers: Headed = {}): Promise<WorldAnswer> {
    const sent = { 'content-type': 'application/merge-patch+json', ...headers };
    return this.request(path, { method: 'PATCH', headers: sent, body: JSON.stringify(body) });
  }

  /** An open feed, and the head of its answer. */
  async follow(path: string, headers: Headed = {}): Promise<{ readonly stream: EventStream; readonly headers: Headers }> {
    const response = await fetch(`${this.url}${path}`, { headers: { accept: 'text/event-stream', ...headers } });
    const stream = new EventStream(response, { heartbeats: true });
    return { stream, headers: response.headers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.stop(true);
    await this.origin[Symbol.asyncDispose]();
    this.#file.close();
  }

  #heard(origin: ReturnType<typeof toOrigin>): ReturnType<typeof toOrigin> {
    return {
      ask: async (question) => {
        if (this.isAway) throw new Fault('origin_unavailable');
        this.asked.push(`${question.method} ${question.target.path}${question.target.query}`);
        return origin.ask(question);
      },
      readiness: () => origin.readiness(),
      load: () => origin.load(),
    };
  }

  async #open(contract: Contract, plans: Plans): Promise<void> {
    await this.issuer.addKey('ed');
    const jwks = await this.issuer.jwks();
    const server = Bun.serve({
      hostname: '127.0.0.1', port: 0, idleTimeout: 0,
      fetch: (raw) => (new URL(raw.url).pathname === '/jwks' ? Response.json(jwks) : answer(raw)),
    });
    this.#server = server;
    const { context } = this.origin;
    const assets = toAssets(contract, plans);
    const { host, coordinator } = openHost({ file: this.#file, shared: context.store.shared }, Number.MAX_SAFE_INTEGER, {
      variables: {
        TOMBOLO_ENV: 'development', TOMBOLO_KEYS: testKeys, TOMBOLO_ORIGIN_URL: 'https://origin.test', TOMBOLO_JWKS_URL: `${this.url}/jwks`,
        TOMBOLO_ISSUER: this.issuer.issuer, TOMBOLO_AUDIENCE: this.issuer.audience, TOMBOLO_ANONYMOUS_PLAN: 'bench',
        TOMBOLO_MEMO_MS: '100', TOMBOLO_FEED_SILENT_MS: '10000',
      },
      toOrigin: () => this.#heard(toOrigin(context, () => undefined)),
      addressOf: (raw) => server.requestIP(raw)?.address,
      asset: async (path) => assets({ url: `https://assets.test${path}`, headers: new Headers() }),
    });
    await context.services.start('generations', () =>
      startPurge(context, 'the test', async (report) => coordinator.report(report, Date.now())));
    const pipeline = toPipeline(host, { contract, plans });
    const answer = (raw: Request) => pipeline(toArrival(raw, { TOMBOLO_ENV: 'development' }, (work) => void work.catch(() => undefined)));
  }
}

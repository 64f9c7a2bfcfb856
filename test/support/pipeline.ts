/** The origin's pipeline in this process: requests as an edge signs them, and its log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { type Context, openContext } from '../../origin/context.ts';
import type { Consumer } from '../../origin/feed/consumer.ts';
import { handle } from '../../origin/pipeline.ts';
import { mustSettings } from '../../origin/settings.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { openMongoDatabase } from './mongo-database.ts';
import { testKeys } from './scripted-origin.ts';
import { principalHeader, signHop } from './signed-hop.ts';
import type { Engine } from './whole-world.ts';

export interface PipelineAsking {
  readonly method?: string;
  readonly body?: string;
  /** In place of a body: an upload whose length is not known. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly subject?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PipelineAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Of a problem document, or of a document. */
  readonly json: Readonly<Record<string, unknown>>;
}

export class Pipeline implements AsyncDisposable {
  /** Lines of the log as objects. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  readonly #open: () => Promise<Context>;
  readonly #remove: () => Promise<void> | void;
  #context!: Context;

  static async open(uri: string, contract: Contract): Promise<Pipeline> {
    return new Pipeline(() => openContext(toSettings({ MONGODB_URI: uri }), contract), () => undefined).#begin();
  }

  /** On a database of its own, which goes with it. */
  static async on(engine: Engine, contract: Contract, consumers: readonly Consumer[] = []): Promise<Pipeline> {
    if (engine === 'mongodb') {
      const { uri, remove } = await openMongoDatabase();
      return new Pipeline(() => openContext(toSettings({ MONGODB_URI: uri }), contract, consumers), remove).#begin();
    }
    const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-pipeline-'));
    const remove = () => rmSync(dataDir, { recursive: true, force: true });
    return new Pipeline(() => openContext(toSettings({ TOMBOLO_DATA_DIR: dataDir }), contract, consumers), remove).#begin();
  }

  private constructor(open: () => Promise<Context>, remove: () => Promise<void> | void) {
    this.#open = open;
    this.#remove = remove;
  }

  async #begin(): Promise<this> {
    this.#context = { ...(await this.#open()), log: pino({ base: null }, { write: (line: string) => void this.log.push(JSON.parse(line)) }) };
    return this;
  }

  get context(): Context {
    return this.#context;
  }

  /** Ends in order, and begins again on the same database. */
  async restart(): Promise<void> {
    await this.#context.services.stop(Date.now() + 5_000);
    await this.#begin();
  }

  async ask(path: string, { method = 'GET', body, stream, subject = 'ada', headers = {} }: PipelineAsking = {}): Promise<PipelineAnswer> {
    const type = method === 'PATCH' ? 'application/merge-patch+json' : path.includes('/import') ? 'application/x-ndjson' : 'application/json';
    const { url, init } = signHop(testKeys, {
      url: `http://origin.test${path}`, method, ...(body === undefined ? {} : { body }),
      headers: { 'tombolo-principal': principalHeader(subject, ['editor']), 'tombolo-request': `req_${crypto.randomUUID()}`, ...(body === undefined && stream === undefined ? {} : { 'content-type': type }), ...(stream === undefined ? {} : { 'tombolo-upload': 'unknown' }), ...headers },
    });
    const response = await handle(this.#context, new Request(url, stream === undefined ? init : { ...init, body: stream }), () => undefined);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: text !== '' && isJson(response.headers) ? JSON.parse(text) : {} };
  }

  /** Stores a document as another program might have: nothing of the contract is asked. */
  async put(resource: Resource, id: string, document: JsonObject): Promise<void> {
    const { outcomes } = await this.#context.store.write([{ resource, id, decide: () => ({ kind: 'put', document }) }], { deadline: Date.now() + 5_000 });
    if (outcomes[0]?.kind !== 'written') throw new Error(`${id} was not stored: ${JSON.stringify(outcomes[0])}`);
  }

  /** The document as it is stored, whoever may see what of it. */
  async stored(resource: Resource, id: string): Promise<JsonObject | undefined> {
    return (await this.#context.store.get(resource, id, { deadline: Date.now() + 5_000 })).value?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.services.stop(Date.now() + 5_000);
    await this.#remove();
  }
}

function toSettings(variables: Readonly<Record<string, string>>) {
  return mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
}

function isJson(headers: Headers): boolean {
  return /^application\/(problem\+)?json/.test(headers.get('content-type') ?? '');
}

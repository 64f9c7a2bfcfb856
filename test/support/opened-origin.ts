/** An origin in this process, without a socket: its context on a database of its own, and its log. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLog } from '../../origin/log.ts';
import { openContext } from '../../origin/open-context.ts';
import type { OriginContext } from '../../origin/origin-context.ts';
import type { Own } from '../../origin/own.ts';
import { mustSettings } from '../../origin/settings.ts';
import type { Mutation } from '../../origin/store/store.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { openMongoDatabase } from './mongo-database.ts';
import { keptSaid } from './said.ts';
import { testKeys } from './scripted-origin.ts';
import type { Engine } from './whole-world.ts';

/** How it is opened each time, and what is removed at the end. */
interface Place {
  readonly open: () => Promise<OriginContext>;
  readonly remove: () => Promise<void> | void;
}

export class OpenedOrigin implements AsyncDisposable {
  /** Lines of the log as objects. */
  readonly log: Readonly<Record<string, unknown>>[] = [];
  readonly #place: Place;
  #context!: OriginContext;

  /** On a database that stays: the one that the variables name. */
  static async open<T extends OpenedOrigin>(
    this: new (place: Place) => T,
    variables: Readonly<Record<string, string>>,
    contract: Contract,
    own: Own = {},
  ): Promise<T> {
    const opened = new this({ open: () => openContext(toSettings(variables), contract, own), remove: () => undefined });
    await opened.begin();
    return opened;
  }

  /** Opens an origin on a database of its own, which is removed with it. */
  static async on<T extends OpenedOrigin>(
    this: new (place: Place) => T,
    engine: Engine,
    contract: Contract,
    own: Own = {},
    more: Readonly<Record<string, string>> = {},
  ): Promise<T> {
    const { variables, remove } = await newDatabase(engine);
    const opened = new this({ open: () => openContext(toSettings({ ...variables, ...more }), contract, own), remove });
    await opened.begin();
    return opened;
  }

  constructor(place: Place) {
    this.#place = place;
  }

  async begin(): Promise<void> {
    const keep = keptSaid();
    const write = (line: string) => {
      this.log.push(JSON.parse(line));
      keep(line);
    };
    const log = openLog('info', { write });
    this.#context = { ...(await this.#place.open()), log };
  }

  get context(): OriginContext {
    return this.#context;
  }

  /** Some of what it is made of is another from now on, until it begins again. */
  change(changed: Partial<OriginContext>): void {
    this.#context = { ...this.#context, ...changed };
  }

  /** Ends in order, and begins again on the same database. */
  async restart(): Promise<void> {
    await this.#context.services.stop(Date.now() + 5_000);
    await this.begin();
  }

  /** Stores a document as another program might have: nothing of the contract is asked. */
  async put(resource: Resource, id: string, document: JsonObject): Promise<void> {
    const mutation: Mutation = { resource, id, decide: () => ({ kind: 'put', document }) };
    const { outcomes } = await this.#context.store.write([mutation], { deadline: Date.now() + 5_000 });
    if (outcomes[0]?.kind !== 'written') throw new Error(`${id} was not stored: ${JSON.stringify(outcomes[0])}`);
  }

  /** The document as it is stored, whoever may see what of it. */
  async stored(resource: Resource, id: string): Promise<JsonObject | undefined> {
    return (await this.#context.store.get(resource, id, { deadline: Date.now() + 5_000 })).value?.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.services.stop(Date.now() + 5_000);
    await this.#place.remove();
  }
}

interface Database extends Pick<Place, 'remove'> {
  readonly variables: Readonly<Record<string, string>>;
}

async function newDatabase(engine: Engine): Promise<Database> {
  if (engine === 'mongodb') {
    const { uri, remove } = await openMongoDatabase();
    return { variables: { MONGODB_URI: uri }, remove };
  }
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-origin-'));
  return { variables: { TOMBOLO_DATA_DIR: dataDir }, remove: () => rmSync(dataDir, { recursive: true, force: true }) };
}

function toSettings(variables: Readonly<Record<string, string>>) {
  return mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_LOG_LEVEL: 'silent', ...variables });
}

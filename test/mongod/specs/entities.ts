import { type ClientSession, Collection, Db, MongoClient } from 'mongodb';
import { buildObservedClient, type ObservedClient } from './clients.ts';
import { toCollectionOptions, toDatabaseOptions, toSessionOptions } from './options.ts';
import type { ClientDescription, EntityDescription } from './schema.ts';
import type { Target } from './target.ts';

/**
 * What a test names: clients and what hangs on them, and results that it saved. Owned by one run of one test;
 * `close` ends it all.
 */
export class Entities {
  readonly #values = new Map<string, unknown>();
  readonly #clients = new Map<string, ObservedClient>();
  readonly #lsids = new Map<string, unknown>();
  readonly #target: Target;

  constructor(target: Target) {
    this.#target = target;
  }

  async create(descriptions: readonly EntityDescription[]): Promise<void> {
    for (const description of descriptions) await this.#createOne(description);
  }

  get(id: string): unknown {
    if (!this.#values.has(id)) throw new Error(`the test names an entity ${id} that it never made`);
    return this.#values.get(id);
  }

  save(id: string, value: unknown): void {
    this.#values.set(id, value);
  }

  observed(id: string): ObservedClient {
    const client = this.#clients.get(id);
    if (client === undefined) throw new Error(`${id} is not a client`);
    return client;
  }

  client = (id: string) => this.#mustBe(id, MongoClient);
  database = (id: string) => this.#mustBe(id, Db);
  collection = (id: string) => this.#mustBe(id, Collection);

  /** The driver exports its session class as a type only. */
  session(id: string): ClientSession {
    if (!this.#lsids.has(id)) throw new Error(`${id} is not a session`);
    return this.#values.get(id) as ClientSession;
  }

  isSession = (id: string) => this.#lsids.has(id);

  /** An ended session has given its id back; the expectation is about the id that it had. */
  lsid(id: string): unknown {
    if (!this.#lsids.has(id)) throw new Error(`${id} is not a session`);
    return this.#lsids.get(id);
  }

  stopObserving(): void {
    for (const observed of this.#clients.values()) observed.stop();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map(({ client }) => client.close()));
  }

  async #createOne({ client, database, collection, session, bucket }: EntityDescription): Promise<void> {
    if (client !== undefined) await this.#createClient(client);
    if (database !== undefined) {
      const { id, databaseName, databaseOptions } = database;
      this.save(id, this.client(database.client).db(databaseName, toDatabaseOptions(databaseOptions)));
    }
    if (collection !== undefined) {
      const { id, collectionName, collectionOptions } = collection;
      this.save(id, this.database(collection.database).collection(collectionName, toCollectionOptions(collectionOptions)));
    }
    if (session !== undefined) this.#createSession(session);
    if (bucket !== undefined) throw new Error('the runner has no GridFS buckets: none of the suites in use has one');
  }

  async #createClient(description: ClientDescription): Promise<void> {
    const observed = buildObservedClient(this.#target.uri, description);
    this.#clients.set(description.id, observed);
    this.save(description.id, observed.client);
    await observed.client.connect();
  }

  /** The test's data was written through another client, so a session starts with that client's cluster time. */
  #createSession({ id, client, sessionOptions }: NonNullable<EntityDescription['session']>): void {
    const session = this.client(client).startSession(toSessionOptions(sessionOptions));
    const clusterTime = this.#target.clusterTime();
    if (clusterTime !== undefined) session.advanceClusterTime(clusterTime);
    this.save(id, session);
    this.#lsids.set(id, session.id);
  }

  #mustBe<T>(id: string, kind: abstract new (...values: never[]) => T): T {
    const value = this.get(id);
    if (!(value instanceof kind)) throw new Error(`${id} is not a ${kind.name}`);
    return value;
  }
}

/** What a transaction reads before its writes are decided, all of it in its own snapshot. */
import type { ClientSession, Db } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toNamingRequests } from '../../naming.ts';
import { toQueryPlan } from '../../plan.ts';
import type { About, Naming } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Stored } from '../read/documents.ts';
import { toExactPlan } from '../read/exact-forms.ts';
import { toHintedQueries } from '../read/hinted-queries.ts';
import { asBytes, mustBytes, toRawDocument, toTyped } from '../read/raw-documents.ts';
import { idFormOf } from '../read/stored-ids.ts';
import { toHolderFilter, toOrder } from '../read/unique-keys.ts';
import { byResource, type Missing } from './decide.ts';
import { keyOf, nothing, type Standings } from './standings.ts';
import { type Asked, byUnique } from './holders.ts';
import { nameOf } from './reached.ts';
import type { WriterOptions } from './writer.ts';

/** Asks within what is left of the time. */
type InTime = <T>(deadline: number, ask: (limit: { readonly maxTimeMS: number }) => Promise<T>) => Promise<T>;

export class TransactionReader {
  readonly #database: Db;
  readonly #session: ClientSession;
  readonly #texts: WriterOptions['texts'];
  readonly #installation: WriterOptions['installation'];
  readonly #inTime: InTime;

  constructor(given: Pick<WriterOptions, 'database' | 'texts' | 'installation'> & { readonly session: ClientSession }, inTime: InTime) {
    this.#database = given.database;
    this.#session = given.session;
    this.#texts = given.texts;
    this.#installation = given.installation;
    this.#inTime = inTime;
  }

  async read({ documents, holders, namings }: Missing, standings: Standings, deadline: number): Promise<void> {
    await this.documents(documents, standings, deadline);
    await this.#holders(holders, standings, deadline);
    await this.#namings(namings, standings, deadline);
  }

  /** All documents of one resource in one question, with the types that they have. */
  async documents(mutations: readonly About[], standings: Standings, deadline: number): Promise<void> {
    for (const [resource, ids] of byResource(mutations)) {
      const keys = [...ids].flatMap((id) => idFormOf(resource).toStored(id) ?? []);
      const asking = { session: this.#session, batchSize: keys.length + 1, ...asBytes };
      const found = await this.#inTime(deadline, (limit) =>
        this.#collection(resource).find({ _id: { $in: keys } }, { ...asking, ...limit }).toArray(),
      );
      const raw = found.flatMap((each) => toRawDocument(resource, mustBytes(each)) ?? []);
      const documents = await this.#texts.all(raw);
      for (const id of ids) standings.set(keyOf({ resource, id }), nothing);
      raw.forEach(({ id, bytes }, index) => {
        standings.set(keyOf({ resource, id }), { document: documents[index], stored: toTyped(resource, bytes) });
      });
    }
  }

  /** Who has the unique keys that are asked for, one question for each declaration of one. */
  async #holders(asked: readonly Asked[], { holders }: Standings, deadline: number): Promise<void> {
    for (const [{ resource, unique }, keys] of byUnique(asked)) {
      const asking = { hint: this.#installation.mustUniqueHint(resource, unique), session: this.#session, ...toOrder(unique), ...asBytes };
      const filter = toHolderFilter(resource, unique, keys);
      const found = await this.#inTime(deadline, (limit) => this.#collection(resource).find(filter, { ...asking, ...limit }).toArray());
      const documents = await this.#texts.all(found.flatMap((each) => toRawDocument(resource, mustBytes(each)) ?? []));
      holders.know(keys, documents);
    }
  }

  /** Documents that name others, by the indexes of their relations. */
  async #namings(namings: readonly Naming[], standings: Standings, deadline: number): Promise<void> {
    for (const naming of namings) {
      const { resource, max } = naming;
      const found = new Map<string, StoredDocument>();
      for (const request of toNamingRequests(naming)) {
        const plan = toExactPlan(resource, toQueryPlan(resource, request));
        const [query, ...others] = toHintedQueries(this.#installation, resource, plan, request);
        if (query === undefined) continue;
        // All branches walk one index.
        const filter = { $or: [query, ...others].map((each) => each.filter) };
        const asking = { ...query.walk, limit: max, batchSize: max, singleBatch: true, session: this.#session, ...asBytes };
        const raw = await this.#inTime(deadline, (limit) => this.#collection(resource).find(filter, { ...asking, ...limit }).toArray());
        const documents = await this.#texts.all(raw.flatMap((each) => toRawDocument(resource, mustBytes(each)) ?? []));
        for (const document of documents) found.set(document.id, document);
      }
      standings.listed.set(nameOf(naming), { documents: [...found.values()].slice(0, max), max });
    }
  }

  #collection(resource: Resource) {
    return this.#database.collection<Stored>(resource.collection);
  }
}

/**
 * Reads: what a majority has, at or after the position they state. `afterClusterTime` comes from a causal session
 * that was told the time; on a primary that has it already it costs nothing, after an election it waits.
 */
import type { ClientSession, Collection, Db, MongoClient, Timestamp } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Unique } from '../../../../shared/contract/unique.ts';
import type { Scalar } from '../../../../shared/wire/values.ts';
import { mergeRows } from '../../merge.ts';
import { type QueryPlan, toQueryPlan } from '../../plan.ts';
import type { CountRequest, ListRequest, Row, Tallied, TallyRequest } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import { TallyTable } from '../../tally-table.ts';
import type { Installation } from '../install/installation.ts';
import type { Stored } from './documents.ts';
import { toExactPlan } from './exact-forms.ts';
import { type HintedQuery, toHintedQueries } from './hinted-queries.ts';
import { oddFilter, oddReadMax, oddRows } from './odd-documents.ts';
import { asBytes, mustBytes, type RawDocument, RawRow, toRawDocument } from './raw-documents.ts';
import type { RawTexts } from './raw-texts.ts';
import type { ReadShare } from './read-share.ts';
import { idFormOf } from './stored-ids.ts';
import { fromTally, inPieces, ofOddDocument, tallyBatchMax, toTallyPipeline } from './tally.ts';
import { toHolderFilter, toOrder } from './unique-keys.ts';

/** Where a read happens: in a session, within what is left of its time. */
export interface Reading {
  readonly session: ClientSession;
  readonly maxTimeMS: number;
}

/** What of the database's indexes a list depends on (installation.ts). */
type InstalledIndexes = Pick<Installation, 'mayBeOdd' | 'oddHint' | 'mustHint' | 'mustUniqueHint'>;

export class Reader {
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #texts: RawTexts;
  readonly #installation: InstalledIndexes;
  readonly #share: ReadShare;

  constructor(given: {
    readonly client: MongoClient;
    readonly database: Db;
    readonly texts: RawTexts;
    readonly installation: InstalledIndexes;
    readonly share: ReadShare;
  }) {
    this.#client = given.client;
    this.#database = given.database;
    this.#texts = given.texts;
    this.#installation = given.installation;
    this.#share = given.share;
  }

  /** Reads a state at or after `time`; a standalone knows none. */
  async at<T>(time: Timestamp | undefined, maxTimeMS: number, read: (reading: Reading) => Promise<T>): Promise<T> {
    const session = this.#client.startSession({ causalConsistency: true });
    try {
      if (time !== undefined) session.advanceOperationTime(time);
      return await read({ session, maxTimeMS });
    } finally {
      await session.endSession();
    }
  }

  /** Begins to show one state (snapshot reads, MongoDB 5.0): the first read chooses it, and all others of the session see it. */
  async beginHeld(resource: Resource, maxTimeMS: number): Promise<ClientSession> {
    const session = this.#client.startSession({ snapshot: true });
    try {
      await this.#share.run(() => this.#collection(resource, session).findOne({ _id: { $in: [] } }, { session, maxTimeMS }));
      return session;
    } catch (error) {
      await session.endSession();
      throw error;
    }
  }

  async get(resource: Resource, id: string, reading: Reading): Promise<StoredDocument | undefined> {
    const key = idFormOf(resource).toStored(id);
    const found =
      key === undefined
        ? null
        : await this.#share.run(() => this.#collection(resource).findOne({ _id: key }, { ...asBytes, ...reading }));
    const document = found === null ? undefined : toRawDocument(resource, mustBytes(found));
    // To a collection with a collation another spelling is the same text.
    return document === undefined || (typeof key === 'string' && document.id !== key) ? undefined : this.#texts.one(document);
  }

  async many(resource: Resource, ids: readonly string[], reading: Reading): Promise<readonly StoredDocument[]> {
    const keys = ids.flatMap((id) => idFormOf(resource).toStored(id) ?? []);
    if (keys.length === 0) return [];
    // All of them are one batch: a cursor that is left open is another round trip, and none of a held state.
    const options = { limit: keys.length, batchSize: keys.length, singleBatch: true, ...asBytes, ...reading };
    const collection = this.#collection(resource, reading.session);
    const found = await this.#share.run(() => collection.find({ _id: { $in: keys } }, options).toArray());
    return this.#texts.all(toRawDocuments(resource, found));
  }

  async holder(resource: Resource, unique: Unique, values: readonly Scalar[], reading: Reading): Promise<StoredDocument | undefined> {
    const options = { hint: this.#installation.mustUniqueHint(resource, unique), ...toOrder(unique), limit: 1, ...asBytes, ...reading };
    const filter = toHolderFilter(resource, unique, [{ values }]);
    const found = await this.#share.run(() => this.#collection(resource).find(filter, options).toArray());
    const [document] = await this.#texts.all(toRawDocuments(resource, found));
    return document;
  }

  async list(resource: Resource, request: ListRequest, reading: Reading): Promise<readonly Row[]> {
    const plan = toExactPlan(resource, toQueryPlan(resource, request));
    const walks = toHintedQueries(this.#installation, resource, plan, request).map(async (query) =>
      (await this.#walk(resource, query, request.limit, reading)).map((document) => new RawRow(document, request.sort)),
    );
    const odd = plan.branches.length > 0 && this.#installation.mayBeOdd(resource) ? [this.#odd(resource, request, plan, reading)] : [];
    const lists = await Promise.all([...walks, ...odd]);
    return lists.length === 0 ? [] : this.#toRows(mergeRows(lists, request.sort, request.limit).slice(0, request.limit));
  }

  /** Counts branches that share no document one by one, others by their ids. */
  async count(resource: Resource, request: CountRequest, max: number, reading: Reading): Promise<number> {
    const plan = toExactPlan(resource, toQueryPlan(resource, request));
    const queries = toHintedQueries(this.#installation, resource, plan, { ...request, after: undefined });
    if (!plan.disjoint || this.#installation.mayBeOdd(resource)) return this.#countIds(resource, request, plan, queries, max, reading);
    const counts = await Promise.all(
      queries.map(({ filter, walk }) =>
        this.#share.run(() => this.#collection(resource).countDocuments(filter, { ...walk, limit: max, ...reading }))),
    );
    return Math.min(max, counts.reduce((sum, count) => sum + count, 0));
  }

  /** From the collection's metadata, which a session's time says nothing of. */
  estimate(resource: Resource, { maxTimeMS }: Reading): Promise<number> {
    return this.#share.run(() => this.#collection(resource).estimatedDocumentCount({ maxTimeMS }));
  }

  /** Where a document may be met twice, the database tells each by itself, and it is counted here. */
  async tally(resource: Resource, request: TallyRequest, reading: Reading): Promise<readonly Tallied[] | undefined> {
    const plan = toExactPlan(resource, toQueryPlan(resource, request));
    const mayBeOdd = plan.branches.length > 0 && this.#installation.mayBeOdd(resource);
    const withIds = !plan.disjoint || mayBeOdd;
    const [table, seen] = [new TallyTable(request.max), new Set<string>()];
    for (const { filter, walk } of toHintedQueries(this.#installation, resource, plan, { ...request, after: undefined })) {
      const pipeline = toTallyPipeline(resource, request, filter, withIds);
      const options = { ...walk, batchSize: tallyBatchMax, ...reading };
      await this.#share.run(() => inPieces(this.#collection(resource).aggregate(pipeline, options), (each) => {
        const { id, values, count } = fromTally(request, each);
        const once = withIds ? JSON.stringify([idFormOf(resource).fromStored(id), values]) : undefined;
        if (once === undefined || !seen.has(once)) table.add(values, count);
        if (once !== undefined) seen.add(once);
      }));
      if (table.isFull) return undefined;
    }
    for (const { document } of mayBeOdd ? await this.#odd(resource, request, plan, reading) : []) {
      for (const values of ofOddDocument(request, document)) {
        const once = JSON.stringify([document.id, values]);
        if (!seen.has(once)) table.add(values, 1);
        seen.add(once);
      }
    }
    return table.tallied;
  }

  async #countIds(
    resource: Resource, request: CountRequest, plan: QueryPlan, queries: readonly HintedQuery[], max: number, reading: Reading,
  ): Promise<number> {
    const ids = queries.map(async ({ filter, walk }) => {
      const options = { ...walk, limit: max, projection: { _id: 1 }, ...reading } as const;
      const found = await this.#share.run(() => this.#collection(resource).find(filter, options).toArray());
      return found.flatMap(({ _id }) => idFormOf(resource).fromStored(_id) ?? []);
    });
    const odd =
      plan.branches.length > 0 && this.#installation.mayBeOdd(resource)
        ? [this.#odd(resource, request, plan, reading).then((rows) => rows.map(({ document }) => document.id))]
        : [];
    return Math.min(max, new Set((await Promise.all([...ids, ...odd])).flat()).size);
  }

  async #walk(resource: Resource, { filter, sort, walk }: HintedQuery, limit: number, reading: Reading): Promise<readonly RawDocument[]> {
    const options = { sort, ...walk, limit, batchSize: limit, singleBatch: true, ...asBytes, ...reading };
    const found = await this.#share.run(() => this.#collection(resource, reading.session).find(filter, options).toArray());
    return toRawDocuments(resource, found);
  }

  async #toRows(rows: readonly RawRow[]): Promise<readonly Row[]> {
    const documents = await this.#texts.all(rows.map(({ document }) => document));
    return documents.map((document, index) => ({
      document,
      get keys() {
        return rows[index]?.keys ?? [];
      },
    }));
  }

  async #odd(
    resource: Resource,
    request: CountRequest & Partial<Pick<ListRequest, 'after'>>,
    { interval }: QueryPlan,
    reading: Reading,
  ): Promise<readonly RawRow[]> {
    const filter = oddFilter(resource);
    const hint = this.#installation.oddHint(resource);
    if (filter === undefined || hint === undefined) return [];
    const options = { hint, limit: oddReadMax, batchSize: oddReadMax, ...asBytes, ...reading };
    const found = await this.#share.run(() => this.#collection(resource, reading.session).find(filter, options).toArray());
    return oddRows(resource, request, interval, toRawDocuments(resource, found));
  }

  /** A held state is the primary's: a secondary may not have it yet. */
  #collection(resource: Resource, session?: ClientSession): Collection<Stored> {
    const { preference, concern } = session?.snapshotEnabled === true ? heldReads : resource.reads;
    return this.#database.collection<Stored>(resource.collection, { readPreference: preference, readConcern: { level: concern } });
  }
}

const heldReads = { preference: 'primary', concern: 'snapshot' } as const;

function toRawDocuments(resource: Resource, found: readonly unknown[]): readonly RawDocument[] {
  return found.flatMap((each) => toRawDocument(resource, mustBytes(each)) ?? []);
}

/**
 * Reads: what a majority has, at or after the position they state. `afterClusterTime` comes from a causal session
 * that was told the time; on a primary that has it already it costs nothing, after an election it waits.
 */
import type { ClientSession, Collection, Db, MongoClient, Timestamp } from 'mongodb';
import { ranks, type SortValue } from '../../../shared/contract/values.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { SortKey } from '../../../shared/contract/shapes.ts';
import { mergeRows } from '../merge.ts';
import { type Plan, toPlan } from '../plan.ts';
import type { ListRequest, Row } from '../store.ts';
import type { StoredDocument } from '../stored-document.ts';
import { toSortKey } from './brackets.ts';
import { type BranchQuery, toBranchQuery } from './branch-query.ts';
import { fromStoredId, type Stored, toDocument, toStoredId } from './documents.ts';
import { oddFilter, oddIndexName, oddReadMax, oddRows } from './odd-documents.ts';

/** Where a read happens: in a session, within what is left of its time. */
export interface Reading {
  readonly session: ClientSession;
  readonly maxTimeMS: number;
}

type CountRequest = Omit<ListRequest, 'after' | 'limit'>;

export class Reader {
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #mayBeOdd: (resource: Resource) => boolean;

  constructor(given: { readonly client: MongoClient; readonly database: Db; readonly mayBeOdd: (resource: Resource) => boolean }) {
    this.#client = given.client;
    this.#database = given.database;
    this.#mayBeOdd = given.mayBeOdd;
  }

  /** The state read is at or after `time`. */
  async at<T>(time: Timestamp, maxTimeMS: number, read: (reading: Reading) => Promise<T>): Promise<T> {
    const session = this.#client.startSession({ causalConsistency: true });
    try {
      session.advanceOperationTime(time);
      return await read({ session, maxTimeMS });
    } finally {
      await session.endSession();
    }
  }

  async get(resource: Resource, id: string, reading: Reading): Promise<StoredDocument | undefined> {
    const key = toStoredId(resource, id);
    const stored = key === undefined ? null : await this.#collection(resource).findOne({ _id: key }, reading);
    return stored === null ? undefined : toDocument(id, stored);
  }

  async list(resource: Resource, request: ListRequest, reading: Reading): Promise<readonly Row[]> {
    const plan = toPlan(resource, request);
    const walks = this.#queries(resource, plan, request).map(async (query) => (await this.#walk(resource, query, request.limit, reading)).flatMap((stored) => toRow(resource, request.sort, stored) ?? []));
    const odd = plan.branches.length > 0 && this.#mayBeOdd(resource) ? [this.#odd(resource, request, plan, reading)] : [];
    const lists = await Promise.all([...walks, ...odd]);
    return lists.length === 0 ? [] : mergeRows(lists, request.sort, request.limit).slice(0, request.limit);
  }

  /** Branches that share no document are counted one by one, others by their ids. */
  async count(resource: Resource, request: CountRequest, max: number, reading: Reading): Promise<number> {
    const plan = toPlan(resource, request);
    const queries = this.#queries(resource, plan, { ...request, after: undefined });
    if (!plan.disjoint || this.#mayBeOdd(resource)) return this.#countIds(resource, request, plan, queries, max, reading);
    const counts = await Promise.all(queries.map(({ filter, hint }) => this.#collection(resource).countDocuments(filter, { hint, limit: max, ...reading })));
    return Math.min(max, counts.reduce((sum, count) => sum + count, 0));
  }

  async #countIds(resource: Resource, request: CountRequest, plan: Plan, queries: readonly BranchQuery[], max: number, reading: Reading): Promise<number> {
    const ids = queries.map(async ({ filter, hint }) => {
      const found = await this.#collection(resource).find(filter, { hint, limit: max, projection: { _id: 1 }, ...reading }).toArray();
      return found.map(({ _id }) => String(_id));
    });
    const odd = plan.branches.length > 0 && this.#mayBeOdd(resource) ? [this.#odd(resource, request, plan, reading).then((rows) => rows.map(({ document }) => document.id))] : [];
    return Math.min(max, new Set((await Promise.all([...ids, ...odd])).flat()).size);
  }

  #queries(resource: Resource, { branches, interval }: Plan, { sort, after }: Pick<ListRequest, 'sort' | 'after'>): readonly BranchQuery[] {
    return branches.flatMap((branch) => toBranchQuery({ resource, branch, sort, interval, after, mayBeOdd: this.#mayBeOdd(resource) }) ?? []);
  }

  #walk(resource: Resource, { filter, sort, hint }: BranchQuery, limit: number, reading: Reading): Promise<readonly Stored[]> {
    return this.#collection(resource).find(filter, { sort, hint, limit, batchSize: limit, singleBatch: true, ...reading }).toArray();
  }

  async #odd(resource: Resource, request: CountRequest & Partial<Pick<ListRequest, 'after'>>, { interval }: Plan, reading: Reading): Promise<readonly Row[]> {
    const filter = oddFilter(resource);
    if (filter === undefined) return [];
    const found = await this.#collection(resource).find(filter, { hint: oddIndexName, limit: oddReadMax, batchSize: oddReadMax, ...reading }).toArray();
    return oddRows(resource, request, interval, found);
  }

  #collection(resource: Resource): Collection<Stored> {
    return this.#database.collection<Stored>(resource.name);
  }
}

function toRow(resource: Resource, sort: readonly SortKey[], stored: Stored): Row | undefined {
  const id = fromStoredId(resource, stored._id);
  if (id === undefined) return undefined;
  const keys = sort.map(({ field }): SortValue => (field === 'id' ? { rank: ranks.string, value: id } : toSortKey(stored[field])));
  return { document: toDocument(id, stored), keys };
}

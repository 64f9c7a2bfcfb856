/** Reads: one document, lists, counts. Everything here is synchronous, in a snapshot that the caller has begun. */
import { eq, sql } from 'drizzle-orm';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { SortKey } from '../../../../shared/contract/shapes.ts';
import { toIdKey } from '../../../../shared/contract/ids.ts';
import type { SortValue } from '../../../../shared/wire/values.ts';
import { mergeRows } from '../../merge.ts';
import { type Branch, type QueryPlan, toQueryPlan } from '../../plan.ts';
import { toDoublePlan } from './doubles.ts';
import type { CountRequest, ListRequest, Row } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Connection } from '../connection/database.ts';
import { preparedFor } from '../connection/prepared.ts';
import { mayBeId, toDocument } from './documents.ts';
import { fromIndexed, toIndexedInterval } from './index-values.ts';
import { KeptDocuments } from './kept-documents.ts';
import { type Component, type Segment, type SqlValue, toComponents, toCursorValues, toSegments } from './keyset.ts';
import { type Statement, toIdsStatement, toListStatement } from './branch-query.ts';
import { toResourceTable } from '../install/resource-tables.ts';
import { type SqlRow, Statements } from './statements.ts';

export class Reader {
  readonly #statements: Statements;
  readonly #gets;
  readonly #kept: KeptDocuments;
  /** Of requests that are kept by whoever asks them again. */
  readonly #walks = new WeakMap<ListRequest, readonly ListWalk[]>();

  /** `soundSchema`: the version of the schema, while it is known to be Tombolo's own. */
  constructor(connection: Connection, resources: Iterable<Resource>, soundSchema: () => number | undefined) {
    this.#statements = new Statements(connection.database);
    this.#kept = new KeptDocuments(connection.database, soundSchema);
    this.#gets = preparedFor(resources, (resource) => toGet(connection, resource));
  }

  get(resource: Resource, id: string): StoredDocument | undefined {
    const get = this.#gets(resource);
    const found = mayBeId(resource, id) ? get.get(id) : null;
    return found === null ? undefined : toDocument(resource, id, found.doc);
  }

  /** `mustBeInTime` is called before each statement of an index. */
  list(resource: Resource, request: ListRequest, mustBeInTime: () => void): readonly Row[] {
    const walks = this.#walks.get(request) ?? toListWalks(resource, request);
    this.#walks.set(request, walks);
    this.#kept.look();
    return mergeRows(walks.map((walk) => this.#walk(resource, walk, request.limit, mustBeInTime)), request.sort, request.limit);
  }

  #walk(resource: Resource, { statements, toKeys }: ListWalk, limit: number, mustBeInTime: () => void): readonly Row[] {
    const rows: Row[] = [];
    for (const toStatement of statements) {
      if (rows.length >= limit) break;
      mustBeInTime();
      for (const row of this.#statements.rows(toStatement(limit - rows.length))) this.#add(rows, resource, row, toKeys);
    }
    return rows;
  }

  #add(rows: Row[], resource: Resource, row: SqlRow, toKeys: (row: SqlRow) => readonly SortValue[]): void {
    const id = mustText(row[0]);
    const kept = this.#kept.find(resource, id);
    const document = kept ?? this.get(resource, id);
    if (document === undefined) return;
    if (kept === undefined) this.#kept.keep(resource, document);
    rows.push(new WalkedRow(document, row, toKeys));
  }

  /** Counts; branches that may share documents are united by id, each at most `max` long: work is branches × max. */
  count(resource: Resource, request: CountRequest, max: number, mustBeInTime: () => void): number {
    const plan = toDoublePlan(resource, toQueryPlan(resource, request));
    const walks = plan.branches.map((branch) => toWalk(resource, { ...request, after: undefined }, plan, branch));
    if (!plan.disjoint) return Math.min(max, this.#countOf(union(walks.flatMap((walk) => toIds(resource, walk, max)))));
    let count = 0;
    for (const ids of walks.flatMap((walk) => toIds(resource, walk, max))) {
      mustBeInTime();
      if (count < max) count += this.#countOf(ids);
    }
    return Math.min(max, count);
  }

  #countOf(ids: Statement): number {
    const [row] = this.#statements.rows({ sql: `SELECT count(*) FROM (${ids.sql})`, parameters: ids.parameters });
    return Number(row?.[0] ?? 0);
  }
}

/** A row whose keys are made when somebody asks: of a page that needs no merging, those of its ends alone. */
class WalkedRow implements Row {
  readonly document: StoredDocument;
  readonly #row: SqlRow;
  readonly #toKeys: (row: SqlRow) => readonly SortValue[];

  constructor(document: StoredDocument, row: SqlRow, toKeys: (row: SqlRow) => readonly SortValue[]) {
    this.document = document;
    this.#row = row;
    this.#toKeys = toKeys;
  }

  get keys(): readonly SortValue[] {
    return this.#toKeys(this.#row);
  }
}

function toGet({ database, queries }: Connection, resource: Resource) {
  const table = toResourceTable(resource);
  return database.prepare<{ doc: string }, [id: string]>(
    queries
      .select({ doc: table.doc })
      .from(table)
      .where(eq(table.id, sql.placeholder('id')))
      .toSQL().sql,
  );
}

interface ListWalk {
  readonly statements: readonly ((limit: number) => Statement)[];
  readonly toKeys: (row: SqlRow) => readonly SortValue[];
}

function toListWalks(resource: Resource, request: ListRequest): readonly ListWalk[] {
  const plan = toDoublePlan(resource, toQueryPlan(resource, request));
  return plan.branches.map((branch) => {
    const { components, segments } = toWalk(resource, request, plan, branch);
    const statements = segments.map((segment) => toListStatement(resource, branch, components, segment));
    return { statements, toKeys: keysReader(resource, request.sort, components) };
  });
}

interface BranchWalk {
  readonly branch: Branch;
  readonly components: readonly Component[];
  readonly segments: readonly Segment[];
}

/** Exported for tests, which put its statements before EXPLAIN. */
export function toWalk(resource: Resource, request: Pick<ListRequest, 'sort' | 'after'>, plan: QueryPlan, branch: Branch): BranchWalk {
  const interval = plan.interval === undefined || branch.pinned.has(plan.interval.field) ? undefined : plan.interval;
  const components = toComponents(resource, branch, request.sort, interval);
  const cursor = request.after === undefined ? undefined : toCursorValues(resource, request.sort, request.after);
  const ends = interval === undefined ? undefined : toIndexedInterval(resource, interval);
  return { branch, components, segments: toSegments({ components, interval: ends, cursor }) };
}

function toIds(resource: Resource, { branch, segments }: BranchWalk, max: number): readonly Statement[] {
  return segments.map((segment) => toIdsStatement(resource, branch, segment, max));
}

function union(parts: readonly Statement[]): Statement {
  return { sql: parts.map((part) => `SELECT * FROM (${part.sql})`).join(' UNION '), parameters: parts.flatMap((part) => part.parameters) };
}

/** Reads the keys of a row: the id from its text, constants of the branch, the rest from the columns after the id. */
export function keysReader(
  resource: Resource, sort: readonly SortKey[], components: readonly Component[],
): (row: SqlRow) => readonly SortValue[] {
  let next = 1;
  const readers = components.flatMap(({ column, constant }): readonly ((row: SqlRow) => SqlValue)[] => {
    if (column === 'id') return [];
    if (constant !== undefined) return [() => constant];
    const at = next++;
    return [(row) => row[at] ?? 0];
  });
  let component = 0;
  const keys = sort.map(({ field }): ((row: SqlRow) => SortValue) => {
    if (field === 'id') return (row) => toIdKey(resource, mustText(row[0]));
    const [rank, value] = [readers[component++], readers[component++]];
    return (row) => fromIndexed(resource, field, { rank: Number(rank?.(row) ?? 0), value: mustPlain(value?.(row) ?? 0) });
  });
  return (row) => keys.map((key) => key(row));
}

/** Numbers of fields are doubles. */
function mustPlain(value: SqlValue): string | number {
  if (typeof value === 'bigint') throw new Error(`a column of numbers gave ${value}`);
  return value;
}

function mustText(value: SqlValue | null | undefined): string {
  if (typeof value !== 'string') throw new Error(`id and doc are text, not ${typeof value}`);
  return value;
}

/**
 * Walks of whole indexes for aggregates: read in pieces of some 2 ms, between which everything else has its turn, in one
 * snapshot on a connection of their own. Walks run one after the other, so that two cost others no more than one does.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { valuesAt } from '../../../../shared/contract/path.ts';
import { type SortValue, toSortValue } from '../../../../shared/wire/values.ts';
import { othersTurn } from '../../../others-turn.ts';
import { mustKind } from '../../kinds.ts';
import { storeLimits } from '../../limits.ts';
import { type Branch, type QueryPlan, toQueryPlan } from '../../plan.ts';
import type { ListRequest, Read, ReadOptions, Tallied, TallyRequest } from '../../store.ts';
import { distinctElements, TallyTable } from '../../tally-table.ts';
import { openReader, type StoreDatabase } from '../connection/database.ts';
import { mustBeInTime, storeClosed } from '../connection/errors.ts';
import { untilUnlocked } from '../connection/unlocked.ts';
import type { Head } from '../feed/head.ts';
import { columnsOf } from '../install/columns.ts';
import { quote } from '../install/ddl.ts';
import { toListStatement } from './branch-query.ts';
import { toDoublePlan } from './doubles.ts';
import { keysReader, Reader, toWalk } from './reader.ts';
import { type SqlRow, Statements } from './statements.ts';

interface Surroundings {
  readonly head: Pick<Head, 'mustReach'>;
  readonly clock: () => number;
  readonly closing: AbortSignal;
}

/** A part of a branch: what comes after these keys. */
interface Piece {
  readonly plan: QueryPlan;
  readonly branch: Branch;
  readonly after: ListRequest['after'];
}

/** A connection and what it has prepared. Opened by the first walk: SQLite keeps the schema once more for each, some 5 MB. */
class Walking {
  readonly database: StoreDatabase;
  readonly statements: Statements;
  readonly reader: Reader;
  readonly look;

  constructor(path: string, resources: Iterable<Resource>) {
    const connection = openReader(path);
    this.database = connection.database;
    this.statements = new Statements(connection.database);
    this.look = connection.database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1');
    this.reader = new Reader(connection, resources, () => undefined);
  }
}

export class TallyReader {
  readonly #open: () => Walking;
  readonly #surroundings: Surroundings;
  #opened: Walking | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, resources: Iterable<Resource>, surroundings: Surroundings) {
    this.#open = () => new Walking(path, resources);
    this.#surroundings = surroundings;
  }

  get #walking(): Walking {
    return (this.#opened ??= this.#open());
  }

  tally(resource: Resource, request: TallyRequest, options: ReadOptions): Promise<Read<readonly Tallied[] | undefined>> {
    const running = this.#last.then(() => this.#tally(resource, request, options));
    this.#last = running.catch(() => undefined);
    return running;
  }

  async #tally(resource: Resource, request: TallyRequest, options: ReadOptions): Promise<Read<readonly Tallied[] | undefined>> {
    const { head, clock, closing } = this.#surroundings;
    const mustGoOn = () => {
      if (closing.aborted) throw storeClosed();
      mustBeInTime(clock(), options.deadline);
    };
    try {
      const position = await untilUnlocked(() => {
        mustGoOn();
        const { database, look } = this.#walking;
        const reached = head.mustReach(options.atLeast);
        if (!database.inTransaction) database.run('BEGIN');
        // A transaction sees the state of its first read.
        look.get();
        return reached;
      }, { clock, deadline: options.deadline });
      return { value: await this.#walk(resource, request, mustGoOn), position };
    } finally {
      if (this.#opened?.database.inTransaction === true) this.#opened.database.run('COMMIT');
    }
  }

  /** Waits for the walk that is under way: it ends where its course does. */
  async close(): Promise<void> {
    await this.#last;
    this.#opened?.database.close();
  }

  async #walk(resource: Resource, request: TallyRequest, mustGoOn: () => void): Promise<readonly Tallied[] | undefined> {
    const plan = toDoublePlan(resource, toQueryPlan(resource, request));
    const [table, seen] = [new TallyTable(request.max), plan.disjoint ? undefined : new Set<unknown>()];
    for (const branch of plan.branches) {
      let after: ListRequest['after'];
      do {
        mustGoOn();
        const piece: Piece = { plan, branch, after };
        after = seen === undefined && request.each === undefined
          ? this.#group(table, resource, request, piece)
          : this.#tellEach(table, resource, request, piece, seen);
        if (table.isFull) return undefined;
        await othersTurn();
      } while (after !== undefined);
    }
    return table.tallied;
  }

  /** SQLite counts the combinations of a piece; the keys of its last entry, or `undefined` at the end of the branch. */
  #group(table: TallyTable, resource: Resource, request: TallyRequest, { plan, branch, after }: Piece): ListRequest['after'] {
    const { components, segments } = toWalk(resource, { ...request, after }, plan, branch);
    const sort = request.sort.filter(({ field }) => request.fields.includes(field));
    const read = sort.flatMap(({ field }) => components.filter(({ column }) => columnsOf(field).includes(column)));
    const columns = read.filter(({ constant }) => constant === undefined).map(({ column }) => `p.${quote(column)}`);
    const toKeys = keysReader(resource, sort, read);
    const at = request.fields.map((field) => sort.findIndex((key) => key.field === field));
    let left: number = storeLimits.tallyEntriesMax;
    for (const segment of segments) {
      const walk = toListStatement(resource, branch, components, segment);
      const { sql, parameters } = walk(left);
      const by = columns.length === 0 ? '' : ` GROUP BY ${columns.join(', ')}`;
      const grouped = { sql: `SELECT ${['NULL', ...columns, 'count(*)'].join(', ')} FROM (${sql}) AS p${by}`, parameters };
      let met = 0;
      for (const row of this.#walking.statements.rows(grouped)) {
        const [count, keys] = [Number(row.at(-1)), toKeys(row)];
        if (count > 0) table.add(at.flatMap((index) => keys[index] ?? []), count);
        met += count;
      }
      if (met === left) {
        const last = walk(1);
        const [row] = this.#walking.statements.rows({ sql: `${last.sql} OFFSET ${left - 1}`, parameters: last.parameters });
        return row === undefined ? undefined : keysReader(resource, request.sort, components)(row);
      }
      left -= met;
    }
    return undefined;
  }

  /** The same document by document, where one may be met twice, or its elements are read. */
  #tellEach(
    table: TallyTable, resource: Resource, request: TallyRequest, piece: Piece, seen: Set<unknown> | undefined,
  ): ListRequest['after'] {
    const rowsMax = request.each === undefined ? storeLimits.tallyRowsMax : storeLimits.tallyDocumentsMax;
    const { rows, toKeys } = this.#read(resource, request, piece, rowsMax);
    const at = request.fields.map((field) => request.sort.findIndex((key) => key.field === field));
    for (const row of rows) {
      if (seen?.has(row[0]) === true) continue;
      seen?.add(row[0]);
      const keys = toKeys(row);
      this.#count(table, resource, request, String(row[0]), at.flatMap((index) => keys[index] ?? []));
    }
    const last = rows.length < rowsMax ? undefined : rows.at(-1);
    return last === undefined ? undefined : toKeys(last);
  }

  #read(resource: Resource, { sort }: TallyRequest, { plan, branch, after }: Piece, rowsMax: number) {
    const { components, segments } = toWalk(resource, { sort, after }, plan, branch);
    const rows: SqlRow[] = [];
    for (const segment of segments) {
      if (rows.length >= rowsMax) break;
      rows.push(...this.#walking.statements.rows(toListStatement(resource, branch, components, segment)(rowsMax - rows.length)));
    }
    return { rows, toKeys: keysReader(resource, sort, components) };
  }

  #count(table: TallyTable, resource: Resource, { each }: TallyRequest, id: string, values: readonly SortValue[]): void {
    if (each === undefined) return table.add(values, 1);
    const document = this.#walking.reader.get(resource, id);
    const elements = valuesAt(document?.value ?? {}, each).map((value) => toSortValue(value, mustKind(resource, each)));
    for (const element of distinctElements(elements)) table.add([...values, element], 1);
  }
}

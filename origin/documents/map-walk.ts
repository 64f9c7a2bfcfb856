/**
 * A walk over the map: the entries around a point, the nearest first, or those in a region, cell by cell. Cells and entries
 * wait in one queue by the first place that they may have in the order that is asked for. A cell that comes first is read: its
 * entries wait on, or the cells that it is cut into where it has too many. What comes first and is an entry is found. A
 * walk begins where a cursor stands as at the beginning, since cells that lie before it are never read.
 *
 * Backwards all is the same in the reverse order. Behind a circle of many entries the cells all around are read for one page:
 * their number grows with the square root of what is nearer.
 */
import { type Area, isIn, relationTo } from '../../shared/geo/area.ts';
import { Distances } from '../../shared/geo/distance.ts';
import { behindDigits, digits, type GridPoint, partsOf, rectangleOf } from '../../shared/geo/grid.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import { ranks, type SortValue } from '../../shared/wire/values.ts';
import { compareKeys } from '../store/merge.ts';
import type { ListRequest, Row } from '../store/store.ts';
import type { EntryReader, Walk, Walked } from './entry-walk.ts';

export interface AskedOfMap {
  /** Of the entries; its `sort` is the id's, either way. */
  readonly request: ListRequest;
  /** The member of an entry that has its point. */
  readonly derived: string;
  readonly area: Area;
}

interface Cell {
  readonly text: string;
  /** The entry that its reading goes on after. */
  readonly after?: Row['keys'];
}

interface Waiting {
  /** An entry has these; of a cell nothing comes before them. */
  readonly keys: Row['keys'];
  readonly is: Row | Cell;
}

/** Entries of one read; a cell that has more is cut. Fewer are fewer to look at in vain, and more questions. */
const readAtOnce = 50;
/** Cells that a walk begins with, at most. */
const cellsAtFirst = 16;
const noId: SortValue = { rank: ranks.null, value: 0 };

export class MapWalk implements Walk {
  readonly #reader: EntryReader;
  readonly #request: ListRequest;
  readonly #derived: string;
  readonly #order: Order;
  readonly #sort: ListRequest['sort'];
  readonly #isBackwards: boolean;
  /** The next one last. */
  readonly #queue: Waiting[] = [];

  constructor(reader: EntryReader, { request, derived, area }: AskedOfMap) {
    this.#reader = reader;
    this.#isBackwards = request.sort[0]?.descending === true;
    this.#sort = [derived, 'id'].map((field) => ({ field, descending: this.#isBackwards }));
    this.#request = request;
    this.#derived = derived;
    this.#order = toOrder(area);
    for (const text of this.#firstCells()) this.#add(text);
  }

  async next(count: number): Promise<Walked> {
    const entries: Row[] = [];
    while (entries.length < count) {
      const next = this.#queue.pop();
      // A reader that found no cell to read has read nothing, and answers have a position.
      if (next === undefined && this.#reader.examined === 0) await this.#read({ text: behindDigits }, 1);
      if (next === undefined) return { entries, isLast: true, brokenOffAt: undefined };
      if ('document' in next.is) entries.push({ ...next.is, keys: next.keys });
      else if (this.#reader.examined < limits.placesExaminedMax) await this.#open(next.is);
      else {
        this.#queue.push(next);
        return { entries, isLast: false, brokenOffAt: next.keys };
      }
    }
    return { entries, isLast: false, brokenOffAt: undefined };
  }

  async #open(cell: Cell): Promise<void> {
    const rows = await this.#read(cell, readAtOnce);
    const isWhole = rows.length < readAtOnce;
    if (!isWhole && !this.#order.isOfEntries(cell.text)) {
      for (const part of partsOf(cell.text)) this.#add(part);
      return;
    }
    const found = rows.flatMap((row): Waiting[] => {
      const keys = this.#keysOf(row);
      return keys === undefined || !this.isBehind(keys) ? [] : [{ keys, is: row }];
    });
    for (const each of found) this.#put(each);
    const last = rows.at(-1);
    const lastKeys = last === undefined ? undefined : this.#keysOf(last);
    if (!isWhole && lastKeys !== undefined) this.#put({ keys: lastKeys, is: { text: cell.text, after: last?.keys ?? [] } });
  }

  #read({ text, after }: Cell, limit: number): Promise<readonly Row[]> {
    const range = { field: this.#derived, bounds: { prefix: text } };
    const start = after ?? (this.#request.after === undefined ? undefined : this.#order.within(text, this.#request.after));
    return this.#reader.list({ ...this.#request, range, sort: this.#sort, after: start, limit });
  }

  /** Those that the area is in, as small as a few can be. */
  #firstCells(): readonly string[] {
    for (let cells: readonly string[] = ['']; ; ) {
      const parts = cells.flatMap(partsOf).filter((text) => this.#order.span(text) !== undefined);
      if (parts.length > cellsAtFirst || parts.some(({ length }) => length === digits)) return cells;
      if (parts.length === 0) return [];
      cells = parts;
    }
  }

  #add(text: string): void {
    const span = this.#order.span(text);
    if (span === undefined) return;
    const [first, behind] = this.#isBackwards ? span.toReversed() : span;
    if (first === undefined || behind === undefined || !this.isBehind([behind, noId])) return;
    this.#put({ keys: [first, noId], is: { text } });
  }

  #put(waiting: Waiting): void {
    let [from, to] = [0, this.#queue.length];
    while (from < to) {
      const middle = (from + to) >>> 1;
      const isLater = compareKeys(this.#queue[middle]?.keys ?? [], waiting.keys, this.#sort) > 0;
      [from, to] = isLater ? [middle + 1, to] : [from, middle];
    }
    this.#queue.splice(from, 0, waiting);
  }

  /** `undefined`: it is outside. */
  #keysOf({ document, keys }: Row): Row['keys'] | undefined {
    const first = this.#order.of(String(document.value[this.#derived]));
    return first === undefined ? undefined : [first, keys[1] ?? noId];
  }

  /** Whether they come after where the walk began. */
  isBehind(keys: Row['keys']): boolean {
    const { after } = this.#request;
    return after === undefined || compareKeys(keys, after, this.#sort) > 0;
  }

  /** A page that goes on from where it began would go on for ever. */
  mustBeBehind(keys: Row['keys']): void {
    if (this.isBehind(keys)) return;
    throw new Fault('query_not_served', {
      detail: `more than ${limits.placesExaminedMax} places lie as far away as the page begins; ask for a smaller area`,
    });
  }
}

/** Where on its way a walk meets the points of cells. */
interface Order {
  /** From the first one of any point of the cell, to behind the last one; `undefined`: none is inside. */
  span(cell: string): readonly [SortValue, SortValue] | undefined;
  /** `undefined`: it is outside. */
  of(point: string): SortValue | undefined;
  /** The entry of the cell behind which a cursor stands, where it is one of this cell. */
  within(cell: string, cursor: Row['keys']): Row['keys'] | undefined;
  /** Whether all entries of the cell are inside, and follow each other in the order of the index. */
  isOfEntries(cell: string): boolean;
}

function toOrder(area: Area): Order {
  if (area.kind === 'near') return toNearestFirst(area.point, area.millimetres);
  return {
    span: (cell) => (relationTo(area, rectangleOf(cell)) === 'none' ? undefined : [toText(cell), toText(cell + behindDigits)]),
    of: (point) => (isIn(area, pointOf(point)) ? toText(point) : undefined),
    within: (cell, cursor) => (isAnEntry(cursor) && String(cursor[0]?.value).startsWith(cell) ? cursor : undefined),
    isOfEntries: (cell) => relationTo(area, rectangleOf(cell)) === 'all' || cell.length === digits,
  };
}

function toNearestFirst(from: GridPoint, most: number): Order {
  const distances = new Distances(from);
  return {
    span: (cell) => {
      const rectangle = rectangleOf(cell);
      const least = distances.least(rectangle);
      return least > most ? undefined : [toNumber(least), toNumber(Math.min(distances.most(rectangle), most) + 1)];
    },
    of: (point) => {
      const distance = distances.to(pointOf(point));
      return distance > most ? undefined : toNumber(distance);
    },
    within: (cell, cursor) => {
      const isThere = cell.length === digits && isAnEntry(cursor) && distances.to(pointOf(cell)) === cursor[0]?.value;
      return isThere ? [toText(cell), cursor[1] ?? noId] : undefined;
    },
    // All that are at one point are as far away.
    isOfEntries: (cell) => cell.length === digits,
  };
}

function isAnEntry([, id]: Row['keys']): boolean {
  return id !== undefined && id.rank !== noId.rank;
}

function pointOf(text: string): GridPoint {
  const { west, south } = rectangleOf(text);
  return { x: west, y: south };
}

function toNumber(value: number): SortValue {
  return { rank: ranks.number, value };
}

function toText(value: string): SortValue {
  return { rank: ranks.string, value };
}

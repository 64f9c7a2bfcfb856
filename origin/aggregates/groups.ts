/**
 * Groups made of combinations of values, the same whichever engine found them: values that are shown alike are one, as they
 * are to a filter (SEMANTICS §4); null, what is missing and what is no plain value are one group, null.
 */
import { type AggregateQuery, formatMeasure, type Measure } from '../../shared/aggregates/aggregate-query.ts';
import type { Term } from '../../shared/aggregates/terms.ts';
import { ZoneReader } from '../../shared/aggregates/zones.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { compareSortValues, isExactKind, type JsonObject, ranks, type ScalarKind, type SortValue } from '../../shared/wire/values.ts';
import { mustKind } from '../store/kinds.ts';
import type { Tallied, TallyRequest } from '../store/store.ts';
import { add, type Decimal, floorTo, quotient, times, toDecimal, toDouble, toText, zero } from './decimal.ts';
import { nothing, toJson, toShown } from './shown-values.ts';

/** What is known of one field in one group. */
interface Seen {
  count: number;
  sum: Decimal;
  least: SortValue | undefined;
  greatest: SortValue | undefined;
  readonly distinct: Set<string>;
}

interface Group {
  readonly keys: readonly SortValue[];
  count: number;
  /** One for each measured field. */
  readonly seen: readonly Seen[];
}

interface Ordered {
  readonly group: Group;
  readonly order: SortValue | undefined;
}

export class Groups {
  readonly #resource: Resource;
  readonly #query: AggregateQuery;
  /** As `values` of what is tallied has them. */
  readonly #fields: readonly string[];
  readonly #each: string | undefined;
  readonly #measured: readonly string[];
  readonly #zone: ZoneReader | undefined;
  readonly #groups = new Map<string, Group>();

  constructor(resource: Resource, query: AggregateQuery, { fields, each }: Pick<TallyRequest, 'fields' | 'each'>) {
    this.#resource = resource;
    this.#query = query;
    this.#fields = each === undefined ? fields : [...fields, each];
    this.#each = each;
    this.#measured = [...new Set(query.measures.map(({ field }) => field))];
    this.#zone = query.zone === undefined ? undefined : new ZoneReader(query.zone);
  }

  get size(): number {
    return this.#groups.size;
  }

  add({ values, count }: Tallied): void {
    const shown = values.map(toShown);
    // What is no element makes no group.
    if (this.#each !== undefined && shown.at(-1)?.rank === ranks.null) return;
    const valueOf = (field: string) => shown[this.#fields.indexOf(field)] ?? nothing;
    const keys = this.#query.group.map((term) => this.#keyOf(term, valueOf(term.field)));
    const name = JSON.stringify(keys);
    const group = this.#groups.get(name) ?? { keys, count: 0, seen: this.#measured.map(unseen) };
    this.#groups.set(name, group);
    group.count += count;
    for (const [index, field] of this.#measured.entries()) see(group.seen[index], valueOf(field), count);
  }

  /** The first of those of the least size or more, in the order of the query, and how many these are in all. */
  shown(limit: number): { readonly data: readonly JsonObject[]; readonly groups: number } {
    const { group: terms, aggregate: { least } } = this.#query;
    const groups = [...this.#groups.values()].filter(({ count }) => count >= least);
    const isOfNone = terms.length === 0 && groups.length === 0 && least === 1;
    const whole = isOfNone ? [{ keys: [], count: 0, seen: this.#measured.map(unseen) }] : groups;
    const ordered = whole.map((group) => ({ group, order: this.#orderOf(group) })).sort((a, b) => this.#compare(a, b));
    return { data: ordered.slice(0, limit).map(({ group }) => this.#toRow(group)), groups: ordered.length };
  }

  #keyOf({ field, by }: Term, value: SortValue): SortValue {
    if (by === undefined) return value;
    if (typeof by === 'string') {
      if (value.rank !== ranks.instant || this.#zone === undefined) return nothing;
      return { rank: ranks.string, value: this.#zone.bucketOf(Date.parse(String(value.value)), by) };
    }
    const [number, width] = [value.rank === ranks.number ? toDecimal(value.value) : undefined, toDecimal(by.width)];
    if (number === undefined || width === undefined) return nothing;
    return { rank: ranks.number, value: numberOf(floorTo(number, width), mustKind(this.#resource, field)) };
  }

  /** What the query sorts by; `undefined`: by the keys alone. */
  #orderOf(group: Group): SortValue | undefined {
    const { sort, group: terms, measures } = this.#query;
    if (sort === undefined) return undefined;
    const term = terms.findIndex(({ text }) => text === sort.by);
    if (term >= 0) return group.keys[term];
    const measure = measures.find((each) => formatMeasure(each) === sort.by);
    return measure === undefined ? { rank: ranks.number, value: group.count } : this.#measure(group, measure);
  }

  /** What is equal otherwise is in the order of its keys. */
  #compare(a: Ordered, b: Ordered): number {
    const first = a.order === undefined || b.order === undefined ? 0 : compareSortValues(a.order, b.order);
    if (first !== 0) return this.#query.sort?.descending === true ? -first : first;
    return a.group.keys.reduce((order, key, index) => (order === 0 ? compareSortValues(key, b.group.keys[index] ?? nothing) : order), 0);
  }

  #toRow(group: Group): JsonObject {
    const { group: terms, measures, count } = this.#query;
    const asked = Map.groupBy(measures, ({ kind }) => kind);
    return {
      group: Object.fromEntries(terms.map(({ text, field, by }, index) => [
        text, toJson(group.keys[index] ?? nothing, typeof by === 'string' ? 'string' : mustKind(this.#resource, field)),
      ])),
      ...(count ? { count: group.count } : {}),
      ...Object.fromEntries([...asked].map(([kind, each]) => [
        kind, Object.fromEntries(each.map((measure) => [measure.field, toJson(this.#measure(group, measure), this.#kindOf(measure))])),
      ])),
    };
  }

  #kindOf({ kind, field }: Measure): ScalarKind {
    const declared = mustKind(this.#resource, field);
    if (kind === 'distinct') return 'integer';
    return kind === 'avg' ? (isExactKind(declared) ? 'decimal' : 'number') : declared;
  }

  #measure({ seen }: Group, { kind, field }: Measure): SortValue {
    const { count, sum, least, greatest, distinct } = seen[this.#measured.indexOf(field)] ?? unseen();
    const declared = mustKind(this.#resource, field);
    switch (kind) {
      case 'distinct':
        return { rank: ranks.number, value: distinct.size };
      case 'min':
        return least ?? nothing;
      case 'max':
        return greatest ?? nothing;
      case 'sum':
        return { rank: ranks.number, value: numberOf(sum, declared) };
      case 'avg':
        if (count === 0) return nothing;
        return { rank: ranks.number, value: averageOf(sum, count, declared) };
    }
  }
}

/** Half to even: of exact kinds at the 34 digits of a Decimal128, of others at the nearest double. */
function averageOf(sum: Decimal, count: number, kind: ScalarKind): number | string {
  return isExactKind(kind) ? toText(quotient(sum, count, 34)) : toDouble(quotient(sum, count, 60));
}

function unseen(): Seen {
  return { count: 0, sum: zero, least: undefined, greatest: undefined, distinct: new Set() };
}

function see(seen: Seen | undefined, value: SortValue, count: number): void {
  if (seen === undefined || value.rank === ranks.null) return;
  seen.distinct.add(JSON.stringify(value));
  if (seen.least === undefined || compareSortValues(value, seen.least) < 0) seen.least = value;
  if (seen.greatest === undefined || compareSortValues(value, seen.greatest) > 0) seen.greatest = value;
  const number = value.rank === ranks.number ? toDecimal(value.value) : undefined;
  if (number === undefined) return;
  seen.count += count;
  seen.sum = add(seen.sum, times(number, count));
}

function numberOf(value: Decimal, kind: ScalarKind): number | string {
  if (isExactKind(kind)) return toText(value);
  const number = toDouble(value);
  return kind === 'integer' && !Number.isSafeInteger(number) ? toText(value) : number;
}

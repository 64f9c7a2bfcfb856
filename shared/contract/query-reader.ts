/** Reads the parameters of a query string as values of a resource's fields and as the controls of a list. */
import type { Field } from './fields.ts';
import { type FilterValue, toBoundValue, toEqualValue } from './filter-values.ts';
import { idField } from './id-declarations.ts';
import { limits } from '../wire/limits.ts';
import { parametersRefused, severalOf, toParameters } from '../wire/parameters.ts';
import { isWithin } from './path.ts';
import type { Resource } from './resource.ts';
import { parseSort, type SortKey } from './shapes.ts';
import type { Scalar } from '../wire/values.ts';

/** Reads parameters and gathers what is wrong with them, so that a caller learns all of it at once. */
export class QueryReader {
  readonly resource: Resource;
  readonly #search: URLSearchParams;
  readonly #refused: (readonly [name: string, detail: string])[] = [];
  readonly names: ReadonlySet<string>;

  constructor(resource: Resource, query: string) {
    this.resource = resource;
    this.#search = toParameters(query);
    this.names = new Set(this.#search.keys());
  }

  refuse(at: string, detail: string): void {
    this.#refused.push([at, detail]);
  }

  finish(): void {
    if (this.#refused.length > 0) throw parametersRefused(this.#refused);
  }

  field(name: string): Field | undefined {
    return name === 'id' ? idField(this.resource) : this.resource.fields.get(name);
  }

  one(name: string): string {
    return this.#search.get(name) ?? '';
  }

  several(name: string): readonly string[] {
    return severalOf(this.#search, name);
  }

  values(name: string, field: Field, texts: readonly string[]): readonly Scalar[] {
    if (texts.length > limits.inValuesMax) {
      this.refuse(name, `${texts.length} values; ${limits.inValuesMax} at most`);
      return [];
    }
    const distinct = new Set(texts.map((text) => this.#taken(name, toEqualValue(this.resource, field, text))));
    return [...distinct].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  bound(name: string, field: Field): Scalar {
    return this.#taken(name, toBoundValue(field, this.one(name)));
  }

  #taken(name: string, read: FilterValue): Scalar {
    if ('value' in read) return read.value;
    this.refuse(name, read.refused);
    return '';
  }

  controls() {
    const count = this.names.has('count') ? this.one('count') : undefined;
    if (count !== undefined && count !== 'exact' && count !== 'estimated') this.refuse('count', '"exact" or "estimated"');
    const after = this.names.has('after') ? this.one('after') : undefined;
    if (after !== undefined && !/^[A-Za-z0-9_.-]+$/.test(after.slice(0, limits.cursorCharactersMax + 1))) {
      this.refuse('after', 'not a cursor of this API');
    }
    if (after !== undefined && after.length > limits.cursorCharactersMax) {
      this.refuse('after', `longer than ${limits.cursorCharactersMax} characters`);
    }
    return {
      count: count === 'exact', estimated: count === 'estimated', fromEnd: this.#fromEnd(), after,
      limit: this.#limit(), fields: this.fields(), sort: this.#sort(), format: this.#format(),
    };
  }

  #fromEnd(): boolean {
    if (!this.names.has('page')) return false;
    if (this.one('page') !== 'last') this.refuse('page', 'the only page that has a name is "last"');
    if (this.names.has('after')) this.refuse('page', 'a page is the last one or one after a cursor, not both');
    return true;
  }

  #format(): 'csv' | undefined {
    const format = this.names.has('format') ? this.one('format') : 'json';
    if (format === 'csv' && this.names.has('count')) this.refuse('count', 'a CSV has no place for a total');
    if (format !== 'json' && format !== 'csv') this.refuse('format', 'must be json or csv');
    return format === 'csv' ? format : undefined;
  }

  #limit(): number {
    if (!this.names.has('limit')) return limits.pageDocumentsDefault;
    const text = this.one('limit');
    const limit = /^[1-9]\d{0,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(limit <= limits.pageDocumentsMax)) this.refuse('limit', `a whole number from 1 to ${limits.pageDocumentsMax}`);
    return limit;
  }

  fields(): readonly string[] | undefined {
    if (!this.names.has('fields')) return undefined;
    const names = [...new Set(this.one('fields').split(','))].filter((name) => name !== 'id');
    const known = names.filter((name) => this.resource.fields.has(name));
    for (const name of names) if (!this.resource.fields.has(name)) this.refuse('fields', `unknown field "${name}"`);
    // What stands in another that is asked for is there already.
    return known.filter((name) => !known.some((other) => name !== other && isWithin(name, other))).sort();
  }

  #sort(): readonly SortKey[] | undefined {
    if (!this.names.has('sort')) return undefined;
    const keys = parseSort(this.one('sort'));
    for (const key of keys) if (this.field(key.field) === undefined) this.refuse('sort', `unknown field "${key.field}"`);
    return keys;
  }
}

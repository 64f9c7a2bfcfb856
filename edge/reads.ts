/**
 * Reads as the contract understands them: a name that is the same for all spellings of a request, and the
 * buckets that its answer depends on. Both follow from the query string alone, so an isolate remembers what it
 * has parsed: a popular list costs a lookup and not 20 µs of parsing, naming and hashing.
 */
import { dependenciesOfDocument, dependenciesOfList, toBucket } from '../shared/contract/dependencies.ts';
import { formatQuery, parseFieldsQuery, parseListQuery } from '../shared/contract/query.ts';
import type { Route } from '../shared/contract/routes.ts';
import { edgeLimits } from './limits.ts';

export interface ReadRequest {
  readonly name: string;
  readonly buckets: readonly number[];
}

export class Reads {
  /** Of lists; in order of arrival, the oldest first. */
  readonly #remembered = new Map<string, ReadRequest>();

  /** Throws what the contract's parsers throw. */
  mustRead({ verb, resource, id = '' }: Route, query: string): ReadRequest {
    if (verb === 'one') {
      const fields = query === '' ? undefined : parseFieldsQuery(resource, query);
      return { name: `one ${JSON.stringify([id, fields ?? null])}`, buckets: dependenciesOfDocument(id).map(toBucket) };
    }
    const spelling = `${resource.name}${query}`;
    const known = this.#remembered.get(spelling);
    if (known !== undefined) return known;
    const parsed = parseListQuery(resource, query);
    const read = { name: `list ${formatQuery(parsed)}`, buckets: [...new Set(dependenciesOfList(parsed).map(toBucket))] };
    if (spelling.length <= edgeLimits.spellingCharactersMax) this.#remember(spelling, read);
    return read;
  }

  #remember(spelling: string, read: ReadRequest): void {
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size >= edgeLimits.spellingsMax && oldest !== undefined) this.#remembered.delete(oldest);
    this.#remembered.set(spelling, read);
  }
}

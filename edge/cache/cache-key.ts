/**
 * States as the contract understands them: a name that is the same for all spellings of a request, and what its
 * answer depends on. Both follow from the target alone, so an isolate remembers what it has parsed of collections: a
 * popular list costs a look-up and not 20 µs of parsing, naming and hashing. A document's are made in 1 µs.
 */
import { remember } from '../../shared/remember.ts';
import type { Cached } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import { edgeLimits } from '../limits.ts';

export class Reads {
  /** Spellings in order of arrival: the oldest goes first. */
  readonly #remembered = new Map<string, Cached>();

  /** `undefined`: an operation whose answers are no states. Throws what the contract's parsers throw. */
  mustRead(route: Route, query: string, header: Header): Cached | undefined {
    if (route.id !== '' || route.operation.cached === undefined) return toRead(route, query, header);
    const spelling = `${route.operation.name} ${route.resource.name}${query}`;
    const known = this.#remembered.get(spelling);
    if (known !== undefined) return known;
    const read = toRead(route, query, header);
    if (read !== undefined && spelling.length <= edgeLimits.spellingCharactersMax) {
      remember(this.#remembered, spelling, read, edgeLimits.spellingsMax);
    }
    return read;
  }
}

type Header = (name: string) => string | null;

function toRead({ operation, resource, id }: Route, query: string, header: Header): Cached | undefined {
  const input = operation.parse(resource, query, header);
  return operation.cached?.({ resource, id, input });
}

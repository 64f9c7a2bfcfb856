/** What decisions of one write see beside their own documents, what of it has yet to be read, and what is to stay meanwhile. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toIsNaming } from '../../naming.ts';
import type { About, Naming, Reach } from '../../store.ts';
import type { StoredDocument } from '../../stored-document.ts';
import type { Held } from './held-documents.ts';
import { keyOf, type Standings } from './standings.ts';

export function nameOf({ resource, field, values }: Naming): string {
  return JSON.stringify([resource.name, field, values]);
}

export class Reached implements Reach {
  caused = 0;
  readonly unread: About[] = [];
  readonly unlisted: Naming[] = [];
  /** By key of the document. */
  readonly held = new Map<string, Held>();
  readonly #standings: Standings;

  constructor(standings: Standings) {
    this.#standings = standings;
  }

  named(resource: Resource, id: string, { stays }: { readonly stays: boolean }): StoredDocument | undefined {
    const key = keyOf({ resource, id });
    if (stays && !this.held.has(key)) this.held.set(key, 'named');
    const standing = this.#standings.get(key);
    if (standing === undefined) this.unread.push({ resource, id });
    return standing?.document;
  }

  naming(named: readonly About[], naming: Naming): readonly StoredDocument[] {
    for (const each of named) this.held.set(keyOf(each), 'left');
    const decided = this.#standings.of(naming.resource);
    const listed = this.#standings.listed.get(nameOf(naming));
    // As many of those that were there may have been decided to be otherwise.
    const max = naming.max + decided.size;
    if (listed === undefined || (listed.max < max && listed.documents.length === listed.max)) {
      this.unlisted.push({ ...naming, max });
      return [];
    }
    const others = listed.documents.filter(({ id }) => !decided.has(id));
    const isNaming = toIsNaming(naming);
    const those = [...decided.values()].flatMap(({ document }) => (document !== undefined && isNaming(document) ? [document] : []));
    return [...others, ...those].slice(0, naming.max);
  }
}

/**
 * Declared defaults for stored documents that lack them, written as another program writes: the triggers check them and tell
 * the feed, and whoever runs this file's origin goes on. A batch is one transaction that reads each document anew and notes
 * what it gave (filled-notes.ts), so it may be cut short anywhere and done twice; `rev` and times stay, since nobody has edited
 * the document.
 */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, defaultPlaces } from '../../examination/absences.ts';
import { examinationLimits } from '../../examination/examination.ts';
import type { Filled } from '../../planned.ts';
import { isConstraint } from '../connection/errors.ts';
import { quote } from '../install/ddl.ts';
import { addedMember } from './added-member.ts';
import { storedDefault, storedPathOf } from './default-commands.ts';
import { type Addition, type FilledDocument, type FoundRow, FilledNotes, toDigest, transaction } from './filled-notes.ts';

/** Rows of one look, in which nobody is kept from writing. */
const lookMax = 1_000;
/** Documents of one transaction: other writers wait some milliseconds. */
const batchMax = 100;

export function fillDefaults(database: Database, resource: Resource): Filled {
  const places = defaultPlaces(resource);
  const filling = new Filling(database, resource, places);
  if (places.length > 0) filling.run();
  return { resource: resource.name, documents: filling.documents, refused: { count: filling.refused, examples: filling.examples } };
}

class Filling {
  readonly #database: Database;
  readonly #resource: Resource;
  readonly #places: readonly DefaultPlace[];
  /** Ids of the first that were refused. */
  readonly examples: string[] = [];
  refused = 0;
  documents = 0;

  constructor(database: Database, resource: Resource, places: readonly DefaultPlace[]) {
    this.#database = database;
    this.#resource = resource;
    this.#places = places;
  }

  run(): void {
    const rowsOf = `SELECT n, CAST(id AS TEXT) AS id, doc FROM ${quote(this.#resource.collection)}`;
    const first = this.#database.query<FoundRow, []>(`${rowsOf} ORDER BY n LIMIT ${lookMax}`);
    const next = this.#database.query<FoundRow, [after: number]>(`${rowsOf} WHERE n > ? ORDER BY n LIMIT ${lookMax}`);
    let rows = first.all();
    for (let last = rows.at(-1); last !== undefined; last = rows.at(-1)) {
      const lacking = rows.filter(({ doc }) => this.#filled(doc).additions.length > 0);
      for (let from = 0; from < lacking.length; from += batchMax) this.#write(lacking.slice(from, from + batchMax));
      rows = next.all(last.n);
    }
  }

  #write(lacking: readonly FoundRow[]): void {
    if (lacking.length === 0) return;
    const notes = new FilledNotes(this.#database);
    const update = this.#database.query<null, [doc: string, n: number]>(
      `UPDATE ${quote(this.#resource.collection)} SET doc = ? WHERE n = ?`,
    );
    transaction(this.#database, () => {
      const documents = lacking.flatMap(({ n }): readonly FilledDocument[] => {
        const row = notes.row(this.#resource.collection, n);
        if (row === undefined) return [];
        const { doc, additions } = this.#filled(row.doc);
        if (additions.length === 0) return [];
        try {
          update.run(doc, n);
        } catch (error) {
          if (!isConstraint(error)) throw error;
          this.refused++;
          if (this.examples.length < examinationLimits.examplesMax) this.examples.push(row.id);
          return [];
        }
        return [{ n, digest: toDigest(row.id, doc), additions }];
      });
      if (documents.length > 0) notes.add(this.#resource, this.#places, documents);
      this.documents += documents.length;
    });
  }

  /** What is there stands as it stood. */
  #filled(doc: string): { readonly doc: string; readonly additions: readonly Addition[] } {
    const additions: Addition[] = [];
    let text = doc;
    for (const [field, place] of this.#places.entries()) {
      const added = addedMember(text, storedPathOf(this.#resource, place), storedDefault(this.#resource, place));
      if (added === undefined) continue;
      text = added.text;
      additions.push({ field, at: added.at, length: added.length });
    }
    return { doc: text, additions };
  }
}

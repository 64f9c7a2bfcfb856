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
import { withMember } from './added-member.ts';
import { storedDefault, storedPathOf } from './default-commands.ts';
import { type FilledDocument, type FilledValue, type FoundRow, FilledNotes, transaction } from './filled-notes.ts';

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
      const lacking = rows.filter(({ doc }) => this.#filled(doc).values.length > 0);
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
      const at = Date.now();
      const documents = lacking.flatMap(({ n }): readonly FilledDocument[] => {
        const row = notes.row(this.#resource.collection, n);
        if (row === undefined) return [];
        const { doc, values } = this.#filled(row.doc);
        if (values.length === 0) return [];
        try {
          update.run(doc, n);
        } catch (error) {
          if (!isConstraint(error)) throw error;
          this.refused++;
          if (this.examples.length < examinationLimits.examplesMax) this.examples.push(row.id);
          return [];
        }
        return [{ n, id: row.id, values }];
      });
      if (documents.length > 0) notes.add(this.#resource, this.#places, { documents, at });
      this.documents += documents.length;
    });
  }

  /** What is there stands as it stood. */
  #filled(doc: string): { readonly doc: string; readonly values: readonly FilledValue[] } {
    const values: FilledValue[] = [];
    let text = doc;
    for (const [field, place] of this.#places.entries()) {
      const value = storedDefault(this.#resource, place);
      const filled = withMember(text, storedPathOf(this.#resource, place), value);
      if (filled === undefined) continue;
      text = filled;
      values.push({ field, value });
    }
    return { doc: text, values };
  }
}

/**
 * What was filled into which documents, noted by the transaction that did it, and taken out again of each document in which the
 * value is still the one that was filled in: the rest of its text stands as it stands by then, and so does another value. A note
 * and its documents change in one transaction, so whoever is killed begins again where it was.
 */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, isMadeAnew } from '../../examination/absences.ts';
import { type Fate, FilledTally } from '../../filled-tally.ts';
import type { FilledIn } from '../../planned.ts';
import { isConstraint } from '../connection/errors.ts';
import { quote, toIndexObjects, toTableObject } from '../install/ddl.ts';
import { filled } from '../install/system-records.ts';
import { cutMember } from './added-member.ts';
import { storedPathOf, toUndoCommand } from './default-commands.ts';

export interface FoundRow {
  readonly n: number;
  readonly id: string;
  readonly doc: string;
}

export interface FilledValue {
  /** A place in the note's fields. */
  readonly field: number;
  /** As JSON. */
  readonly value: string;
}

export interface FilledDocument {
  readonly n: number;
  /** Rows of documents that are gone are given to others. */
  readonly id: string;
  /** In the order in which they were filled in. */
  readonly values: readonly FilledValue[];
}

interface Field {
  /** As stored. */
  readonly path: readonly string[];
  /** Each document was given a value of its own. */
  readonly isMadeAnew: boolean;
}

interface Given {
  readonly documents: readonly FilledDocument[];
  /** Milliseconds of the epoch. */
  readonly at: number;
}

interface Note {
  readonly fields: readonly Field[];
  readonly documents: readonly FilledDocument[];
}

interface NoteRow {
  readonly fields: string;
  readonly documents: string;
}

type Fates = readonly (readonly [FilledValue, Fate])[];

interface Undone {
  readonly fields: readonly Field[];
  readonly document: FilledDocument;
  readonly fates: Fates;
}

export function transaction<T>(database: Database, run: () => T): T {
  database.run('BEGIN IMMEDIATE');
  try {
    const result = run();
    database.run('COMMIT');
    return result;
  } catch (error) {
    if (database.inTransaction) database.run('ROLLBACK');
    throw error;
  }
}

export class FilledNotes {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  row(collection: string, n: number): FoundRow | undefined {
    const sql = `SELECT n, CAST(id AS TEXT) AS id, doc FROM ${quote(collection)} WHERE n = ?`;
    return this.#database.query<FoundRow, [n: number]>(sql).get(n) ?? undefined;
  }

  /** In the transaction that gave them their defaults. `at`: a moment before the first, so that it is there with each that is. */
  add(resource: Resource, places: readonly DefaultPlace[], { documents, at }: Given): void {
    const fields = places.map((place): Field => ({ path: storedPathOf(resource, place), isMadeAnew: isMadeAnew(place) }));
    const made = this.#isThere('_filled') ? [] : [toTableObject(filled, { withoutRowid: false }), ...toIndexObjects(filled)];
    for (const { sql } of made) this.#database.run(sql);
    this.#database
      .query('INSERT INTO _filled(collection, fields, documents, at) VALUES (?, ?, ?, ?)')
      .run(resource.collection, JSON.stringify(fields), JSON.stringify(documents), at);
  }

  /** What an undo would do. */
  filledIn(collection: string): readonly FilledIn[] {
    const tally = new FilledTally();
    /** Texts of documents without what was filled into objects in them: an undo takes that out before the object. */
    const foreseen = new Map<number, string>();
    for (const n of this.#ofCollection(collection)) {
      const { fields, documents } = this.#note(n);
      const isWithin = fields.some(({ path }) => path.length > 1);
      for (const document of documents) {
        const { doc, fates } = this.#undone(fields, document, foreseen.get(document.n) ?? this.#docOf(collection, document));
        if (isWithin && doc !== undefined) foreseen.set(document.n, doc);
        count(tally, collection, { fields, document, fates });
      }
    }
    return tally.found;
  }

  undo(collection: string): readonly FilledIn[] {
    const tally = new FilledTally();
    // The last first: what was filled into a filled object goes before the object does.
    for (const n of this.#ofCollection(collection)) {
      for (const each of transaction(this.#database, () => this.#undoNote(collection, n))) count(tally, collection, each);
    }
    return tally.found;
  }

  #undoNote(collection: string, noteRow: number): readonly Undone[] {
    const { fields, documents } = this.#note(noteRow);
    const undone = documents.map((document): Undone => {
      const before = this.#docOf(collection, document);
      const { doc, fates } = this.#undone(fields, document, before);
      const isDone = doc === before || doc === undefined || this.#write(collection, document.n, doc);
      return { fields, document, fates: isDone ? fates : fates.map(([value, fate]) => [value, fate === 'documents' ? 'refused' : fate]) };
    });
    const staying = undone.flatMap(({ document, fates }): readonly FilledDocument[] => {
      const values = document.values.filter((value) => fates.some(([each, fate]) => each === value && fate === 'refused'));
      return values.length === 0 ? [] : [{ ...document, values }];
    });
    if (staying.length === 0) this.#database.query('DELETE FROM _filled WHERE n = ?').run(noteRow);
    else this.#database.query('UPDATE _filled SET documents = ? WHERE n = ?').run(JSON.stringify(staying), noteRow);
    return undone;
  }

  /** Says whether the checks take it. */
  #write(collection: string, n: number, doc: string): boolean {
    try {
      this.#database.query<null, [doc: string, n: number]>(`UPDATE ${quote(collection)} SET doc = ? WHERE n = ?`).run(doc, n);
      return true;
    } catch (error) {
      if (!isConstraint(error)) throw error;
      return false;
    }
  }

  /** `undefined`: the document is gone. */
  #docOf(collection: string, { n, id }: FilledDocument): string | undefined {
    const row = this.row(collection, n);
    return row?.id === id ? row.doc : undefined;
  }

  #undone(fields: readonly Field[], { values }: FilledDocument, doc: string | undefined) {
    let text = doc;
    const fates = values.toReversed().map((filled): Fates[number] => {
      const cut = text === undefined ? undefined : cutMember(text, fields[filled.field]?.path ?? []);
      if (cut === undefined) return [filled, 'gone'];
      if (!this.#isSame(cut.value, filled.value)) return [filled, 'changed'];
      text = cut.without;
      return [filled, 'documents'];
    });
    return { doc: text, fates };
  }

  /** But for spaces. */
  #isSame(value: string, other: string): boolean {
    if (value === other) return true;
    return this.#database.query<{ same: number }, [string, string]>('SELECT json(?) = json(?) AS same').get(value, other)?.same === 1;
  }

  /** The last first. */
  #ofCollection(collection: string): readonly number[] {
    if (!this.#isThere('_filled') || !this.#isThere(collection)) return [];
    const notes = this.#database.query<{ n: number }, [string]>('SELECT n FROM _filled WHERE collection = ? ORDER BY n DESC');
    return notes.all(collection).map(({ n }) => n);
  }

  /** Without documents: somebody else has undone it. */
  #note(n: number): Note {
    const row = this.#database.query<NoteRow, [n: number]>('SELECT fields, documents FROM _filled WHERE n = ?').get(n);
    return row === null ? { fields: [], documents: [] } : { fields: JSON.parse(row.fields), documents: JSON.parse(row.documents) } as Note;
  }

  #isThere(table: string): boolean {
    const sql = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`;
    return this.#database.query<object, [name: string]>(sql).get(table) !== null;
  }
}

function count(tally: FilledTally, collection: string, { fields, document, fates }: Undone): void {
  for (const [{ field, value }, fate] of fates) {
    const { path = [], isMadeAnew: isOwn = false } = fields[field] ?? {};
    const undo = isOwn ? undefined : toUndoCommand(collection, path, value);
    tally.add({ collection, path: path.join('.'), undo }, fate, document.id);
  }
}

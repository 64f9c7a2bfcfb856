/**
 * What was filled into which documents, noted by the transaction that did it, and taken out again of each document that nobody
 * has written to since: its text is the one that the fill left. Of any other it stays, since nobody can tell whether what is
 * there now was meant. A note and its documents change in one transaction, so whoever is killed begins again where it was.
 */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, isMadeAnew } from '../../examination/absences.ts';
import type { FilledIn } from '../../planned.ts';
import { isConstraint } from '../connection/errors.ts';
import { quote, toIndexObjects, toTableObject } from '../install/ddl.ts';
import { filled } from '../install/system-records.ts';
import { withoutAdded } from './added-member.ts';
import { storedPathOf, toDefaultCommands } from './default-commands.ts';

export interface FoundRow {
  readonly n: number;
  readonly id: string;
  readonly doc: string;
}

/** Part of a document's text: each was added to what those before it had made. */
export interface Addition {
  /** A place in the note's fields. */
  readonly field: number;
  readonly at: number;
  readonly length: number;
}

export interface FilledDocument {
  readonly n: number;
  readonly digest: string;
  readonly additions: readonly Addition[];
}

interface Field {
  /** As stored, parted by dots. */
  readonly path: string;
  /** Absent where each document was given a value of its own. */
  readonly undo?: object;
}

interface NoteRow {
  readonly fields: string;
  readonly documents: string;
}

/** Of a document as it is in the table. Rows of documents that are gone are given to others, so its id is part of it. */
export function toDigest(id: string, doc: string): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify([id, doc])).digest('hex');
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

  /** In the transaction that gave them their defaults. */
  add(resource: Resource, places: readonly DefaultPlace[], documents: readonly FilledDocument[]): void {
    const toField = (place: DefaultPlace): Field => ({
      path: storedPathOf(resource, place).join('.'), ...(isMadeAnew(place) ? {} : { undo: toDefaultCommands(resource, place).undo }),
    });
    const made = this.#isThere('_filled') ? [] : [toTableObject(filled, { withoutRowid: false }), ...toIndexObjects(filled)];
    for (const { sql } of made) this.#database.run(sql);
    this.#database
      .query('INSERT INTO _filled(collection, fields, documents, at) VALUES (?, ?, ?, ?)')
      .run(resource.collection, JSON.stringify(places.map(toField)), JSON.stringify(documents), Date.now());
  }

  filledIn(collection: string): readonly FilledIn[] {
    const found = new Map<string, FilledIn>();
    for (const n of this.#ofCollection(collection)) {
      const note = this.#note(n);
      if (note === undefined) continue;
      const documents = documentsOf(note);
      for (const [field, { path, undo }] of (JSON.parse(note.fields) as readonly Field[]).entries()) {
        const count = documents.filter(({ additions }) => additions.some((each) => each.field === field)).length;
        const key = JSON.stringify([path, undo]);
        if (count > 0) found.set(key, { collection, path, undo, documents: count + (found.get(key)?.documents ?? 0) });
      }
    }
    return [...found.values()];
  }

  /** Says how many documents are as they were found. */
  undo(collection: string): number {
    let undone = 0;
    for (let isMore = true; isMore; ) {
      const before = undone;
      // The last first: a document that was filled twice is what the first fill left once the second is undone.
      for (const n of this.#ofCollection(collection)) undone += transaction(this.#database, () => this.#undoNote(collection, n));
      isMore = undone > before;
    }
    return undone;
  }

  #undoNote(collection: string, noteRow: number): number {
    const note = this.#note(noteRow);
    if (note === undefined) return 0;
    const update = this.#database.query<null, [doc: string, n: number]>(`UPDATE ${quote(collection)} SET doc = ? WHERE n = ?`);
    let undone = 0;
    const documents = documentsOf(note);
    const staying = documents.filter(({ n, digest, additions }) => {
      const row = this.row(collection, n);
      if (row === undefined) return false;
      if (toDigest(row.id, row.doc) !== digest) return true;
      try {
        update.run(additions.toReversed().reduce(withoutAdded, row.doc), n);
      } catch (error) {
        if (!isConstraint(error)) throw error;
        return true;
      }
      undone++;
      return false;
    });
    if (staying.length === 0) this.#database.query('DELETE FROM _filled WHERE n = ?').run(noteRow);
    else if (staying.length < documents.length) {
      this.#database.query('UPDATE _filled SET documents = ? WHERE n = ?').run(JSON.stringify(staying), noteRow);
    }
    return undone;
  }

  /** The last first. */
  #ofCollection(collection: string): readonly number[] {
    if (!this.#isThere('_filled') || !this.#isThere(collection)) return [];
    const notes = this.#database.query<{ n: number }, [string]>('SELECT n FROM _filled WHERE collection = ? ORDER BY n DESC');
    return notes.all(collection).map(({ n }) => n);
  }

  #note(n: number): NoteRow | undefined {
    return this.#database.query<NoteRow, [n: number]>('SELECT fields, documents FROM _filled WHERE n = ?').get(n) ?? undefined;
  }

  #isThere(table: string): boolean {
    const sql = `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?`;
    return this.#database.query<object, [name: string]>(sql).get(table) !== null;
  }
}

function documentsOf({ documents }: NoteRow): readonly FilledDocument[] {
  return JSON.parse(documents) as readonly FilledDocument[];
}

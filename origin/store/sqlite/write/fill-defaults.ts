/**
 * Declared defaults for stored documents that lack them, written as another program writes: the triggers check them and tell
 * the feed, and whoever runs this file's origin goes on. A batch is one transaction that reads each document anew, so it may be
 * cut short anywhere and done twice; `rev` and times stay, since nobody has edited the document.
 */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { isJsonObject, type Json, type JsonObject } from '../../../../shared/wire/values.ts';
import { type DefaultPlace, defaultPlaces } from '../../examination/absences.ts';
import { examinationLimits } from '../../examination/examination.ts';
import type { Filled } from '../../planned.ts';
import { isConstraint } from '../connection/errors.ts';
import { quote } from '../install/ddl.ts';
import { toStoredText, toWireText } from '../read/member-names.ts';
import { revisedText } from './revised-text.ts';

/** Rows of one look, in which nobody is kept from writing. */
const lookMax = 1_000;
/** Documents of one transaction: other writers wait some milliseconds. */
const batchMax = 100;

interface FoundRow {
  readonly n: number;
  readonly id: string;
  readonly doc: string;
}

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
      const lacking = rows.filter(({ doc }) => this.#filled(doc) !== undefined);
      for (let from = 0; from < lacking.length; from += batchMax) this.#write(lacking.slice(from, from + batchMax));
      rows = next.all(last.n);
    }
  }

  #write(lacking: readonly FoundRow[]): void {
    const table = quote(this.#resource.collection);
    const get = this.#database.query<FoundRow, [n: number]>(`SELECT n, CAST(id AS TEXT) AS id, doc FROM ${table} WHERE n = ?`);
    const update = this.#database.query<null, [doc: string, n: number]>(`UPDATE ${table} SET doc = ? WHERE n = ?`);
    this.#database.run('BEGIN IMMEDIATE');
    try {
      for (const { n } of lacking) {
        const row = get.get(n);
        const doc = row === null ? undefined : this.#filled(row.doc);
        if (row === null || doc === undefined) continue;
        try {
          update.run(doc, n);
          this.documents++;
        } catch (error) {
          if (!isConstraint(error)) throw error;
          this.refused++;
          if (this.examples.length < examinationLimits.examplesMax) this.examples.push(row.id);
        }
      }
      this.#database.run('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) this.#database.run('ROLLBACK');
      throw error;
    }
  }

  /** `undefined`: nothing is missing. What is there stands as it stood. */
  #filled(doc: string): string | undefined {
    const text = toWireText(this.#resource, doc);
    const value = JSON.parse(text) as JsonObject;
    const next = this.#places.reduce(withDefault, value);
    return next === value ? undefined : toStoredText(this.#resource, revisedText(this.#resource.schema, { text, value }, next));
  }
}

/** As anybody could give them to the `sqlite3` shell. */
export function toDefaultCommands(resource: Resource, place: DefaultPlace): { readonly command: object; readonly undo: object } {
  const { collection: name } = resource;
  const path = toStoredPath(resource, place.path.join('.')).split('.');
  const [at, value] = [literal(toJsonPath(path)), `json(${literal(JSON.stringify(storedDefault(resource, path, place)))})`];
  const holder = literal(toJsonPath(path.slice(0, -1)));
  const lacks = `json_type(doc, ${at}) IS NULL AND json_type(doc, ${holder}) = 'object'`;
  return {
    command: { sql: `UPDATE ${quote(name)} SET doc = json_set(doc, ${at}, ${value}) WHERE ${lacks}` },
    undo: { sql: `UPDATE ${quote(name)} SET doc = json_remove(doc, ${at}) WHERE json(doc -> ${at}) = ${value}` },
  };
}

/** The default with its members by their stored names. */
function storedDefault(resource: Resource, path: readonly string[], { path: wirePath, make }: DefaultPlace): Json | undefined {
  const document = wirePath.reduceRight<Json>((value, name) => ({ [name]: value }), make());
  const stored = JSON.parse(toStoredText(resource, JSON.stringify(document))) as Json;
  return path.reduce<Json | undefined>((value, name) => (isJsonObject(value) ? value[name] : undefined), stored);
}

function toJsonPath(names: readonly string[]): string {
  return `$${names.map((name) => `.${JSON.stringify(name)}`).join('')}`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The same object where it has the member, or has no object to hold it. */
function withDefault(document: JsonObject, { path: [name, ...rest], make }: Pick<DefaultPlace, 'path' | 'make'>): JsonObject {
  const [inner, ...further] = rest;
  const there: Json | undefined = Object.hasOwn(document, name) ? document[name] : undefined;
  if (inner === undefined) return there === undefined ? { ...document, [name]: make() } : document;
  if (!isJsonObject(there)) return document;
  const made = withDefault(there, { path: [inner, ...further], make });
  return made === there ? document : { ...document, [name]: made };
}

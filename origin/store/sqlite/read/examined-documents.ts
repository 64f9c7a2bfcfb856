/** Documents as they lie in a table, for whoever examines them. */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Json, JsonObject } from '../../../../shared/wire/values.ts';
import { examine, type ExaminedDocument, type Examination, type StoredTypes } from '../../examination/examination.ts';
import type { LookedAt } from '../../examination/open-documents.ts';
import { storeLimits } from '../../limits.ts';
import type { StoreDatabase } from '../connection/database.ts';
import { quote } from '../install/ddl.ts';
import { jsonTypes } from '../install/document-checks.ts';
import { toWireText } from './member-names.ts';

/** A document is JSON already. */
const sqliteTypes: StoredTypes = { typeOf, typesOf: (kind) => jsonTypes[kind], toJson: (value) => value as Json };

/** Rows that stand together are read in one go; where they begin is chance's. */
const runMax = 10;

interface FoundRow {
  readonly n: number;
  readonly id: string;
  readonly doc: string;
}

/** All documents, or as many as chance takes of a table that holds more. */
export function examineTable(database: Database, resource: Resource, isFull: boolean): Promise<Examination> {
  const table = quote(resource.collection);
  const max = storeLimits.examinedMax;
  const isWhole = isFull || database.query<object, []>(`SELECT 1 FROM ${table} LIMIT 1 OFFSET ${max}`).get() === null;
  const rows = isWhole
    ? database.query<FoundRow, []>(`SELECT n, CAST(id AS TEXT) AS id, doc FROM ${table}`).iterate()
    : sampled(database, table);
  return examine(resource, toDocuments(resource, rows), { types: sqliteTypes, isComplete: () => isWhole });
}

/** For a look at the first. */
export function lookedAtIn(database: StoreDatabase, resources: readonly Resource[]): LookedAt {
  const first = (resource: Resource, max: number) => {
    const table = quote(resource.collection);
    const statement = database.prepare<FoundRow, []>(`SELECT n, CAST(id AS TEXT) AS id, doc FROM ${table} LIMIT ${max}`);
    const rows = statement.all();
    database.finalize(statement);
    return toDocuments(resource, rows);
  };
  return { resources, types: sqliteTypes, first };
}

function* sampled(database: Database, table: string): Generator<FoundRow> {
  const begin = `SELECT min(n) + abs(random()) % (max(n) - min(n) + 1) FROM ${table}`;
  const runs = database.query<FoundRow, []>(
    `SELECT n, CAST(id AS TEXT) AS id, doc FROM ${table} WHERE n >= (${begin}) ORDER BY n LIMIT ${runMax}`,
  );
  const seen = new Set<number>();
  for (let run = 0; run < storeLimits.examinedMax / runMax; run++) {
    for (const row of runs.all()) {
      if (!seen.has(row.n)) yield row;
      seen.add(row.n);
    }
  }
}

function* toDocuments(resource: Resource, rows: Iterable<FoundRow>): Generator<ExaminedDocument> {
  const toMembers = (doc: string) => JSON.parse(toWireText(resource, doc)) as JsonObject;
  for (const { id, doc } of rows) yield { id, key: id, keyType: 'text', members: toMembers(doc) };
}

/** SQLite's name of a type, as `json_type` has it. */
function typeOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'real';
  return Array.isArray(value) ? 'array' : 'object';
}

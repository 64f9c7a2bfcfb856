/**
 * Unique keys of a resource: an index over their values, and triggers that refuse whoever writes a second one. A UNIQUE index
 * would let `INSERT OR REPLACE` of other programs displace documents that they never named, and could not be made over doubles
 * that are there; triggers refuse either way, and only what is new.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { rankOf, scalarKindOf, toPart, type Unique } from '../../../../shared/contract/unique.ts';
import { isExactKind, ranks, type Scalar } from '../../../../shared/wire/values.ts';
import { jsonPath, rankExpression } from './columns.ts';
import { quote, type SchemaObject } from './ddl.ts';
import { exactKey } from './exact-keys.ts';

/** What such a trigger says before the name of the key. */
const refusalMark = 'tombolo unique: ';

export function uniqueIndexesOf(resource: Resource): readonly SchemaObject[] {
  return resource.unique.map((unique) => {
    const name = `${resource.collection}:unique ${unique.name}`;
    const on = `${quote(resource.collection)} (${keyOf(resource, unique).join(', ')})`;
    return { type: 'index', name, sql: `CREATE INDEX ${quote(name)} ON ${on}` };
  });
}

export function uniqueTriggersOf(resource: Resource): readonly SchemaObject[] {
  return resource.unique.flatMap((unique) => [
    toTrigger(resource, unique, { event: 'insert', on: 'INSERT', when: '1', others: '"n" <> NEW."n" AND "id" <> NEW."id"' }),
    toTrigger(resource, unique, {
      event: 'update', on: 'UPDATE OF "doc"', others: '"n" <> OLD."n" AND "n" <> NEW."n" AND "id" <> NEW."id"',
      when: keyOf(resource, unique).map((part) => `${of('NEW', part)} IS NOT ${of('OLD', part)}`).join(' OR '),
    }),
  ]);
}

interface Trigger {
  readonly event: string;
  readonly on: string;
  readonly when: string;
  /** What of the table may hold the key: neither the document itself nor what it displaces. */
  readonly others: string;
}

function toTrigger(resource: Resource, unique: Unique, { event, on, when, others }: Trigger): SchemaObject {
  const name = `${resource.collection}:unique ${unique.name} ${event}`;
  const table = quote(resource.collection);
  const isSame = keyOf(resource, unique).map((part) => `${part} = ${of('NEW', part)}`).join(' AND ');
  const held = `EXISTS (SELECT 1 FROM ${table} WHERE ${isSame} AND ${others})`;
  const refuse = `SELECT RAISE(ABORT, '${refusalMark}${unique.name}') WHERE ${held}`;
  const head = `CREATE TRIGGER ${quote(name)} BEFORE ${on} ON ${table} FOR EACH ROW WHEN ${when}`;
  return { type: 'trigger', name, sql: `${head} BEGIN ${refuse}; END` };
}

/** The key whose trigger refused, by a refusal's message. */
export function uniqueIn({ unique }: Resource, message: string): Unique | undefined {
  return message.startsWith(refusalMark) ? unique.find(({ name }) => name === message.slice(refusalMark.length)) : undefined;
}

/** One expression over `"doc"` for each field, NULL where a document has no such key: NULL equals nothing. */
export function keyOf(resource: Resource, { fields, where, ignoringCase }: Unique): readonly string[] {
  const asked = where.map(([path, value]) => `${partOf(resource, path, ignoringCase)} = ${literal(resource, path, value, ignoringCase)}`);
  const held = resource.removal === undefined ? asked : [...asked, `${rankExpression(resource, resource.removal.at)} = ${ranks.null}`];
  return fields.map((path, index) => {
    const part = partOf(resource, path, ignoringCase);
    return index > 0 || held.length === 0 ? part : `CASE WHEN ${held.join(' AND ')} THEN ${part} END`;
  });
}

/** Numbers as they are stored, since SQLite compares its two kinds exactly; lower() folds A to Z alone. */
function partOf(resource: Resource, path: string, ignoringCase: boolean): string {
  const kind = scalarKindOf(resource.fields, path);
  const extracted = `json_extract("doc", ${jsonPath(resource, path)})`;
  const folded = ignoringCase && kind === 'string' ? `lower(${extracted})` : extracted;
  const value = isExactKind(kind) ? exactKey(`CAST(${extracted} AS TEXT)`) : folded;
  return `CASE WHEN ${rankExpression(resource, path)} = ${rankOf(kind)} THEN ${value} END`;
}

function literal({ fields }: Resource, path: string, value: Scalar, ignoringCase: boolean): string {
  const known = toPart(value, scalarKindOf(fields, path), ignoringCase)?.value ?? '';
  return typeof known === 'number' ? String(known) : `'${known.replaceAll("'", "''")}'`;
}

/** The same expression over the document of a trigger. A stored name that is quoted in a path is never `doc`, which needs no quotes. */
function of(row: 'NEW' | 'OLD', part: string): string {
  return part.replaceAll('"doc"', `${row}."doc"`);
}

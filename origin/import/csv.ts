/**
 * CSV as rows: typed by the Rust module in a worker thread, by a plan made from the field table, then parsed
 * by the contract like any other row. Scalars have columns, in objects by their paths; what holds more than one value, or may
 * be of any type, has one of JSON text, as an export writes it.
 */
import { csvColumnsOf } from '../../shared/contract/csv-columns.ts';
import { memberNames } from '../../shared/contract/document-schema.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';
import { isScalarKind } from '../../shared/contract/fields.ts';
import { type Draft, setAt } from '../../shared/contract/draft.ts';
import { isNamedByCallers } from '../../shared/contract/id-declarations.ts';
import { isWithin } from '../../shared/contract/path.ts';
import { keptNamesOf } from '../../shared/contract/system-fields.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Json, JsonObject, ScalarKind } from '../../shared/wire/values.ts';
import type { CsvColumn, CsvKind, CsvPlan } from '../../shared/transforms/csv-plan.ts';
import { type CsvBatch, CsvRefused, type CsvRefusal, type CsvRejected } from '../../shared/transforms/csv.ts';
import type { ComputeCalls } from '../compute/calls.ts';
import { convertCsv } from '../compute/csv.client.ts';
import { PoolFull } from '../compute/faults.ts';
import type { ComputePool } from '../compute/pool.ts';
import { readHeader } from './csv-header.ts';
import { othersTurn } from '../others-turn.ts';
import { idSource, type ParsedRow, parseRow, type Reading, type RejectedRow } from './row.ts';

export async function* readCsv(
  pool: ComputePool<ComputeCalls>,
  chunks: AsyncIterable<Uint8Array>,
  reading: Reading,
  signal: AbortSignal,
): AsyncGenerator<readonly ParsedRow[]> {
  const { names, chunks: whole } = await readHeader(chunks);
  const jsonNames = jsonNamesOf(reading.resource);
  const plan = toCsvPlan(reading, mustStandOnce(jsonNames.filter((name) => names.has(name)), names));
  // An empty field is absent; where the schema wants the member there, with nothing in it, that is null.
  const { fields, schema } = reading.resource;
  const nullWhenAbsent = memberNames(schema).filter((name) => {
    const field = fields.get(name);
    return field?.nullable === true && !field.optional;
  });
  const columns = { nested: nestedColumnsOf(reading.resource), json: new Set(jsonNames) };
  try {
    for await (const batch of convertCsv(pool, { plan, chunks: whole, signal })) {
      for (const rows of toRows(batch, { ...reading, nullWhenAbsent }, columns)) {
        yield rows;
        await othersTurn();
      }
    }
  } catch (thrown) {
    if (thrown instanceof CsvRefused) throw toFault(thrown.refusal);
    if (thrown instanceof PoolFull) {
      throw new Fault('overloaded', { detail: 'too many imports run', headers: { 'retry-after': String(thrown.retryAfterSeconds) } });
    }
    if (signal.aborted) throw new Fault('deadline_exceeded', { cause: thrown });
    throw thrown;
  }
}

/** RFC 4180 §3: a file without the names of its columns says so, and is not read as one that has them. */
export function mustHaveHeader(mediaType: string): void {
  const header = /;\s*header\s*=\s*"?([^;"\s]*)/i.exec(mediaType)?.[1];
  if (header === undefined || header.toLowerCase() === 'present') return;
  const detail = 'a CSV here begins with the names of its columns; add them, and send header=present or no such parameter';
  throw new Fault('media_type_unsupported', {
    detail,
    errors: [{ at: 'Content-Type', in: 'header', detail }],
    headers: { accept: 'text/csv; header=present, application/x-ndjson' },
  });
}

const kinds: Readonly<Record<ScalarKind, CsvKind>> = {
  string: 'string', uuid: 'string', objectId: 'string', binary: 'string', decimal: 'string', long: 'string',
  number: 'number', integer: 'integer', boolean: 'boolean', instant: 'date-time',
};

function jsonNamesOf(resource: Resource): readonly string[] {
  return csvColumnsOf(resource).flatMap(({ name, isJson }) => (isJson ? [name] : []));
}

/** What stands whole in a column may not stand in parts in others. */
function mustStandOnce(whole: readonly string[], names: ReadonlySet<string>): readonly string[] {
  const twice = whole.filter((name) => [...names].some((other) => other.startsWith(`${name}.`)));
  if (twice.length === 0) return whole;
  throw documentInvalid(twice.map((name) => ({ at: toPointer([name]), in: 'body', detail: 'stands in a column of its own and in parts' })));
}

/**
 * Rows that are merged need not have every column. What Tombolo keeps of its own may be there, to be passed over. `whole`: what
 * has a column of its own in this upload, so that its parts have none.
 */
function toCsvPlan({ resource, onDuplicate }: Reading, whole: readonly string[]): CsvPlan {
  const source = idSource(resource);
  // Where the id has a column of its own, a row may name its document by `id` instead.
  const columns: CsvColumn[] = [{ source, key: source, kind: 'string', required: isNamedByCallers(resource) && source === 'id' }];
  for (const name of keptNamesOf(resource)) if (name !== source) columns.push({ source: name, key: name, kind: 'string', required: false });
  const kept = new Set(keptNamesOf(resource));
  for (const [name, field] of resource.fields) {
    if (!kept.has(name) && isScalarKind(field.kind)) {
      columns.push({
        source: name,
        key: name,
        kind: kinds[field.kind],
        required: onDuplicate !== 'merge' && !field.optional && !field.nullable && !whole.some((above) => isWithin(name, above)),
      });
    }
  }
  for (const name of jsonNamesOf(resource)) columns.push({ source: name, key: name, kind: 'string', required: false });
  return { columns, unknown: 'refuse' };
}

interface Columns {
  /** Those that are paths. */
  readonly nested: ReadonlySet<string>;
  readonly json: ReadonlySet<string>;
}

/**
 * A batch in pieces of what is committed together, each with what was rejected up to its last row. A piece's lines are one JSON
 * array but for the commas: a line end within a string is escaped.
 */
function* toRows({ ndjson, rows, rejected }: CsvBatch, reading: Reading, columns: Columns): Generator<readonly ParsedRow[]> {
  const text = new TextDecoder().decode(ndjson);
  const refused = rejected.map(toRejectedRow);
  let end = 0;
  for (let from = 0; from < rows.length; from += limits.importBatchRows) {
    const numbers = rows.subarray(from, from + limits.importBatchRows);
    const start = end;
    for (const _ of numbers) end = text.indexOf('\n', end) + 1;
    const last = numbers.at(-1) ?? 0;
    const before = refused.findIndex(({ number }) => number > last);
    yield [...refused.splice(0, before < 0 ? refused.length : before), ...toParsed(text.slice(start, end - 1), numbers, reading, columns)];
  }
  if (refused.length > 0) yield refused;
}

function toParsed(lines: string, numbers: Uint32Array, reading: Reading, { nested, json }: Columns): readonly ParsedRow[] {
  const values = JSON.parse(`[${lines.replaceAll('\n', ',')}]`) as JsonObject[];
  const whole = nested.size === 0 ? values : values.map((value) => unfolded(value, nested));
  return whole.map((value, index) => toRow(value, numbers[index] ?? 0, reading, json));
}

function toRow(value: JsonObject, number: number, reading: Reading, json: ReadonlySet<string>): ParsedRow {
  if (json.size === 0) return parseRow(value, number, reading);
  const errors: FieldError[] = [];
  const members = Object.entries(value).map(([name, text]): readonly [string, Json] => {
    if (!json.has(name) || typeof text !== 'string') return [name, text];
    try {
      return [name, JSON.parse(text) as Json];
    } catch {
      errors.push({ at: toPointer([name]), in: 'body', detail: 'is not JSON, of which this column is' });
      return [name, null];
    }
  });
  if (errors.length > 0) return { kind: 'rejected', number, fault: documentInvalid(errors) };
  return parseRow(Object.fromEntries(members), number, reading);
}

/** The columns that are paths into objects: `image.url`. */
function nestedColumnsOf({ schema, fields }: Resource): ReadonlySet<string> {
  const members = new Set(memberNames(schema));
  return new Set([...fields.keys()].filter((name) => name.includes('.') && !members.has(name)));
}

/** A row with its objects, as NDJSON has it. */
function unfolded(row: JsonObject, nested: ReadonlySet<string>): JsonObject {
  const columns = Object.entries(row);
  const whole: Draft = Object.fromEntries(columns.filter(([name]) => !nested.has(name)));
  for (const [name, value] of columns) if (nested.has(name)) setAt(whole, name, value);
  return whole as JsonObject;
}

function toRejectedRow({ row, line, column, reason }: CsvRejected): RejectedRow {
  const detail = `${reason.replaceAll('_', ' ')} (line ${line})`;
  return {
    kind: 'rejected',
    number: row,
    fault: documentInvalid([{ at: toPointer(column === undefined ? [] : column.split('.')), in: 'body', detail }]),
  };
}

/** The whole input is refused: its header does not fit the resource, or it is no CSV. */
function toFault({ reason, detail, unknown, missing, duplicate }: CsvRefusal): Fault {
  const named = (names: readonly string[], why: string): FieldError[] =>
    names.map((name) => ({ at: toPointer(name.split('.')), in: 'body', detail: why }));
  const errors = [...named(unknown, 'no such column'), ...named(missing, 'column missing'), ...named(duplicate, 'column given twice')];
  return errors.length > 0
    ? documentInvalid(errors)
    : new Fault('body_malformed', { detail: [reason.replaceAll('_', ' '), detail].filter((part) => part !== '').join(': ') });
}

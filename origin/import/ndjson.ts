/** Newline-delimited JSON as rows: split on LF, bounded a line, each line parsed by the contract or rejected. */
import { documentInvalid, idSchema, toFieldErrors } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isJsonObject, type JsonObject } from '../../shared/contract/values.ts';
import type { ImportRow } from './row.ts';

export type ParsedRow = ({ readonly kind: 'row' } & ImportRow) | { readonly kind: 'rejected'; readonly number: number; readonly fault: Fault };

export async function* readRows(stream: ReadableStream<Uint8Array> | null, resource: Resource): AsyncGenerator<ParsedRow> {
  let number = 0;
  for await (const line of readLines(stream)) {
    number++;
    if (line === undefined) yield { kind: 'rejected', number, fault: new Fault('body_too_large', { detail: `a row has at most ${limits.importRowBytesMax} bytes` }) };
    else if (line.some((byte) => byte > 0x20)) yield parseRow(line, number, resource);
  }
}

function parseRow(line: Uint8Array, number: number, resource: Resource): ParsedRow {
  try {
    return { kind: 'row', number, ...mustRow(JSON.parse(decoder.decode(line)), resource) };
  } catch (thrown) {
    const fault = thrown instanceof Fault ? thrown : new Fault('body_malformed', { detail: 'the row is not JSON in UTF-8' });
    return { kind: 'rejected', number, fault };
  }
}

/** A row as a document: the id under its own name or that of the imported column, the rest as in a create. */
function mustRow(value: unknown, resource: Resource): { id: string | undefined; body: JsonObject } {
  if (!isJsonObject(value)) throw documentInvalid([{ at: '', in: 'body', detail: 'a row is a JSON object' }]);
  const source = typeof resource.id === 'object' ? (resource.id.importedFrom ?? 'id') : 'id';
  const { [source]: imported, ...rest } = value;
  const { id: named, ...plain } = rest;
  const given = imported ?? named;
  const fields = resource.schema.safeParse(plain);
  const id = given === undefined && typeof resource.id !== 'object' ? undefined : idSchema(resource).safeParse(given);
  const errors = [...(id?.success === false ? toFieldErrors(id.error).map((error) => ({ ...error, at: `/${source}` })) : []), ...(fields.success ? [] : toFieldErrors(fields.error))];
  if (errors.length > 0 || !fields.success) throw documentInvalid(errors);
  return { id: id?.data, body: fields.data as JsonObject };
}

/** Lines without their end; `undefined` for one that is over the bound, whose rest is passed over. */
async function* readLines(stream: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array | undefined> {
  let held = Buffer.alloc(0);
  let over = false;
  for await (const chunk of stream ?? []) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = Buffer.concat([held, chunk.subarray(start, end)]);
      yield over || line.length > limits.importRowBytesMax ? undefined : line;
      held = Buffer.alloc(0);
      over = false;
      start = end + 1;
    }
    held = over ? held : Buffer.concat([held, chunk.subarray(start)]);
    if (held.length <= limits.importRowBytesMax) continue;
    over = true;
    held = Buffer.alloc(0);
  }
  if (over || held.length > 0) yield over ? undefined : held;
}

const newline = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true });

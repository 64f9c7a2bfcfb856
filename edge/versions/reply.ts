/** What the origin answers in the current version, as an older one has it (SEMANTICS §19). */
import type { Dialect } from '../../shared/versions/dialect.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { suffixed } from '../../shared/wire/entity-tags.ts';
import { problemMediaType } from '../../shared/wire/problem.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import { type Format, formatOf, formats } from '../../shared/operations/formats.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { isEndpoint } from '../../shared/operations/endpoint.ts';
import { edgeLimits } from '../limits.ts';
import type { Reply } from '../origin-client/origin-client.ts';
import type { Validated } from '../request/request.ts';
import { bufferUpTo } from '../request/read-body.ts';
import { mapLines, type MapLine } from './lines.ts';
import { downPageRows, downRows } from './forms.ts';
import { downEvents } from './rows.ts';
import { downTold } from './problems.ts';

/** Streams pass; what is answered at once is read whole. */
export async function downReply(
  reply: Reply, dialect: Dialect, asked: Pick<Validated, 'route' | 'rows' | 'form' | 'target'>,
): Promise<Reply> {
  const { route: { operation, resource }, rows, form, target } = asked;
  const { status, headers, body } = reply;
  const { input, output, shown = output, digest } = dialect;
  if (headers['content-type']?.startsWith(problemMediaType) === true) {
    return withBody(reply, input === undefined ? undefined : (problem) => downTold(problem, input));
  }
  if (rows !== undefined) return withLines(reply, rows.downLine);
  if (shown === undefined) return reply;
  const answers = operation.holds?.answer;
  if (answers === 'events' && output !== undefined) return withLines(reply, downEvents(output));
  if (answers === 'results' && output !== undefined) return withBody(reply, (body) => downResults(body, output, digest));
  const older = output && { translation: output, format: form ?? preferredOf(operation), resource, query: target.query };
  if (answers === 'rows' && older !== undefined) return inForm(withLines(reply, downRows(older)), older.format);
  const { etag } = headers;
  const tagged = etag === undefined ? reply : { ...reply, headers: { ...headers, etag: suffixed(etag, tagOf(digest, form)) } };
  if (body === null || status === 304 || status === 204) return tagged;
  // A page in another form has no related documents, by which alone what is shown is more than the output.
  if (form === undefined || older === undefined) return withBody(tagged, downOf(operation, shown));
  return inForm(await withBody(tagged, (page) => downPageRows(page, older)), form);
}

/** Names what is made of an answer: a form of it has other bytes. */
export function tagOf(digest: string, form: Format | undefined): string {
  return form === undefined ? digest : `${digest}-${form}`;
}

function preferredOf({ gives: [mediaType] }: Operation): Format {
  return formatOf(mediaType) ?? 'json';
}

/** Links go on in the same form, which the origin was not asked for. */
function inForm(reply: Reply, format: Format): Reply {
  const { link } = reply.headers;
  const headers = { ...reply.headers, 'content-type': formats[format] };
  return { ...reply, headers: link === undefined ? headers : { ...headers, link: link.replaceAll('>;', `&format=${format}>;`) } };
}

/** `undefined`: nothing in it changes, or it is a stream. */
function downOf(operation: Operation, output: Pick<Translation, 'down'>): ((value: JsonObject) => JsonObject) | undefined {
  if (isEndpoint(operation) || operation.holds?.answer === 'document') return (document) => output.down(document);
  if (operation.holds?.answer === 'history') return (page) => downEach(page, (event) => ({ ...event, ...downImages(event, output) }));
  if (operation.holds?.answer !== 'page') return undefined;
  return (page) => downEach(page, (each) => output.down(each));
}

function downEach(page: JsonObject, down: (each: JsonObject) => JsonObject): JsonObject {
  return { ...page, data: elementsOf(page).map((each) => (isJsonObject(each) ? down(each) : each)) };
}

function downImages({ before, after }: JsonObject, output: Pick<Translation, 'down'>): JsonObject {
  const [older, newer] = [before, after].map((image) => (isJsonObject(image) ? output.down(image) : null));
  return { before: older ?? null, after: newer ?? null };
}

/** The tag and the refusal of each. */
function downResults({ results = [], ...told }: JsonObject, output: Translation, digest: string): JsonObject {
  const each = (Array.isArray(results) ? results : []) as readonly JsonObject[];
  return {
    results: each.map(({ etag, problem, ...result }) => ({
      ...result,
      ...(typeof etag === 'string' ? { etag: suffixed(etag, digest) } : {}),
      ...(isJsonObject(problem) ? { problem: downTold(problem, output) } : {}),
    })),
    ...told,
  };
}

function elementsOf({ data }: JsonObject): readonly Json[] {
  return Array.isArray(data) ? data : [];
}

function withLines(reply: Reply, map: MapLine): Reply {
  const { 'content-length': _length, ...headers } = reply.headers;
  const { body } = reply;
  const stream = body instanceof ReadableStream ? body : new Response(body).body;
  return stream === null ? reply : { ...reply, headers, body: mapLines(stream, map, edgeLimits.translatedBytesMax) };
}

async function withBody(reply: Reply, change: ((value: JsonObject) => JsonObject | string) | undefined): Promise<Reply> {
  if (change === undefined || reply.body === null) return reply;
  const bytes = await bufferUpTo(reply.body, edgeLimits.translatedBytesMax);
  if (!(bytes instanceof Uint8Array)) {
    await bytes.cancel();
    throw new Fault('answer_too_large', { detail: `in this version an answer has at most ${edgeLimits.translatedBytesMax} bytes` });
  }
  const value = JSON.parse(new TextDecoder().decode(bytes)) as Json;
  const { 'content-length': _length, ...headers } = reply.headers;
  const changed = isJsonObject(value) ? change(value) : value;
  return { ...reply, headers, body: typeof changed === 'string' ? changed : JSON.stringify(changed) };
}

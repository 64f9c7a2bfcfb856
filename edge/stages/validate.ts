/**
 * Input against the contract: representation, parameters, conditions, body. What passes is what the origin
 * would have taken; the origin checks again, since it may be newer, and the bytes it gets are those received.
 */
import type * as z from 'zod';
import { mustBeInScope, mustExpandInScope } from '../../shared/api-keys/scopes.ts';
import { jsonPatchType, operationsOf } from '../../shared/changes/json-patch.ts';
import { changesType } from '../../shared/changes/operators.ts';
import { toBodyErrors } from '../../shared/contract/body-errors.ts';
import { type CheckedBody, mustBody, mustJsonOf } from '../../shared/contract/documents.ts';
import { isSafe, mediaTypeOf, type Operation } from '../../shared/operations/operation.ts';
import { stepsOf } from '../../shared/operations/steps.ts';
import { type Speaking, upChangedItems } from '../../shared/versions/changed-items.ts';
import { mustBeAlike } from '../../shared/versions/steps.ts';
import { upJsonPatch } from '../../shared/versions/json-patch.ts';
import { upChanges } from '../../shared/versions/operators.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { expandedDialect } from '../../shared/versions/expanded.ts';
import type { Dialect } from '../../shared/versions/dialect.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { joinedBytes } from '../../shared/wire/bytes.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import { BodyPieces } from '../request/body-pieces.ts';
import { toFormed } from '../request/form.ts';
import { mustAccept, mustContentType } from '../request/negotiate.ts';
import { demandedToken, mustDemandedPosition } from '../request/position-token.ts';
import { mustRead, mustText } from '../request/read-body.ts';
import type { ForOrigin, Identified, Validated } from '../request/request.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { type OlderRows, toOlderRows } from '../versions/rows.ts';
import { downFault } from '../versions/problems.ts';
import type { Stage } from '../runner.ts';
import { spendMore } from './limit.ts';

export function validate(): Stage<Identified<ForOrigin>, Validated> {
  return function validate(request, next) {
    const { route, sent, target, context, speech, dialect, principal } = request;
    mustBeInScope(principal, route);
    const accept = speech === undefined ? sent.get('accept') : speech.accept;
    const formed = route.operation.isNegotiated === true ? toFormed(request, accept) : undefined;
    if (formed === undefined) mustAccept(accept, route.operation);
    mustContentType(sent, route.operation);
    const header = (name: string) => sent.get(name);
    const cached = inWordsOf(dialect, () => context.reads.mustRead(route, formed?.query ?? target.query, header));
    if (cached?.expanded !== undefined) mustExpandInScope(principal, cached.expanded);
    const preconditions = mustPreconditions(route, header);
    const spoken = speech === undefined || cached?.expanded === undefined
      ? request
      : { ...request, dialect: expandedDialect(context.contract, dialect, cached.expanded, speech.version) };
    const plain = { ...spoken, cached, preconditions, demanded: undefined, body: undefined };
    const valid = formed === undefined || formed.target === target ? plain : { ...plain, target: formed.target, form: formed.form };
    const token = isSafe(route.operation) ? demandedToken(sent) : undefined;
    const read = token === undefined ? valid : { ...valid, demanded: mustDemandedPosition(token, context.macs) };
    if (cached?.times !== undefined) return spendMore(request, cached.times - 1).then(() => next(read));
    if (token !== undefined) return next(read);
    const rows = route.operation.holds?.body === 'rows' ? dialect?.input : undefined;
    if (rows !== undefined) return toRows(request, rows).then((older) => next({ ...valid, rows: older }));
    const { schema, counts } = route.operation;
    if (schema === undefined) return counts === undefined ? next(valid) : charge(request, {}).then(() => next(valid));
    return mustBeBody(request, schema).then(async ({ bytes, value, checked }) => {
      if (counts !== undefined) await charge(request, value);
      return next({ ...valid, body: bytes, checked });
    });
  };
}

interface SentBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What the schema made of them. */
  readonly value: JsonObject;
  /** Absent where the origin is sent other bytes than came. */
  readonly checked?: CheckedBody;
}

/** What a request is of is known once it is read: one of it was charged when the request came. */
function charge(request: Identified<ForOrigin>, body: JsonObject): Promise<void> {
  const { route: { operation, resource }, target, sent, dialect } = request;
  const input = inWordsOf(dialect, () => operation.parse(resource, target.query, (name) => sent.get(name)));
  return spendMore(request, (operation.counts?.({ resource, input, body }) ?? 1) - 1);
}

/** The bytes are kept: the origin gets those received, under their digest; or, of an older version, their translation. */
async function mustBeBody(
  { raw, route, sent, deadlineAt, dialect, speech, context: { contract } }: ForOrigin, schemaOf: NonNullable<Operation['schema']>,
): Promise<SentBody> {
  const { operation, resource } = route;
  const bytes = await mustRead(raw, { bytesMax: operation.bodyBytesMax, declared: sent.get('content-length'), deadlineAt });
  const mediaType = mediaTypeOf(operation, sent.get('content-type'));
  const value = mustJsonOf(mustText(bytes), mediaType) as Json;
  const schema = schemaOf(resource, mediaType);
  const translation = dialect?.input;
  const isList = mediaType === jsonPatchType || operation.holds?.body === 'items';
  // What no schema takes is refused before anything walks through it.
  if (translation === undefined || !(isJsonObject(value) || isList) || toBodyErrors(value).length > 0) {
    const parsed = mustBody(schema, value);
    if (operation.holds?.body === 'steps' && speech !== undefined) mustBeAlike(stepsOf(parsed), contract, speech.version);
    return { bytes, value: parsed, checked: { schema, sent: value, value: parsed } };
  }
  const current = upBody(value, { operation, mediaType, schema, translation, digest: dialect?.digest ?? '' });
  const text = mediaType === 'application/x-ndjson' ? toLines(current) : JSON.stringify(current);
  return { bytes: joinedBytes([new TextEncoder().encode(text)]), value: inWordsOf(dialect, () => mustBody(schema, current)) };
}

interface Older extends Speaking {
  readonly operation: Operation;
  readonly mediaType: string;
  readonly schema: z.ZodType<JsonObject>;
}

function upBody(value: Json, { operation, mediaType, schema, translation, digest }: Older): unknown {
  if (operation.holds?.body === 'items') return upChangedItems(value, { translation, digest });
  if (mediaType === jsonPatchType) return upJsonPatch(operationsOf(mustBody(schema, value)), translation);
  if (mediaType === changesType) return upChanges(mustBody(schema, value), translation);
  return translation.up(value as JsonObject, operation.holds?.body === 'patch' ? 'patch' : 'document');
}

/** A body that came as lines goes on as lines. */
function toLines(items: unknown): string {
  return Array.isArray(items) ? items.map((item) => `${JSON.stringify(item)}\n`).join('') : '';
}

function toRows({ raw, sent }: ForOrigin, translation: Translation): Promise<OlderRows> {
  const { body } = raw;
  return toOlderRows(new BodyPieces(body), { mediaType: sent.get('content-type') ?? '', length: sent.get('content-length') }, translation);
}

/** What is refused of a translation is told in the words of whoever asked. */
function inWordsOf<T>(dialect: Dialect | undefined, read: () => T): T {
  if (dialect?.input === undefined) return read();
  try {
    return read();
  } catch (thrown) {
    throw thrown instanceof Fault ? downFault(thrown, dialect.input) : thrown;
  }
}

/** One document's write and its answer: what insert, replace, patch and remove have in common. */
import { Fault, toFault } from '../../shared/contract/fault.ts';
import { parseIdempotencyKey } from '../../shared/contract/idempotency-key.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import type { JsonObject } from '../../shared/contract/values.ts';
import type { Answer, Asked, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { toETag } from '../etag.ts';
import { presenter } from '../present.ts';
import type { Decision, Mutation, Outcome, WriteOptions } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

type WriteCall = Call<'create' | 'replace' | 'patch' | 'remove'>;
type WrittenDocument = Extract<Outcome, { kind: 'written' }>;
type Decide = (before: StoredDocument | undefined) => JsonObject | 'remove';

/** `decide` throws a Fault to refuse; nothing is written then. */
export async function writeOne(context: Context, call: WriteCall, id: string, decide: Decide, toAnswer: (written: WrittenDocument) => Answer): Promise<Answer> {
  const mutation: Mutation = { resource: call.resource, id, decide: (before) => toDecision(decide, before) };
  const once = toOnce(call, (outcomes) => JSON.stringify(toAnswer(mustWritten(outcomes[0]))));
  const { outcomes, position, replayed } = await context.store.write([mutation], { deadline: call.deadline, nonce: call.nonce, ...(once === undefined ? {} : { once }) });
  if (replayed !== undefined) return { ...(JSON.parse(replayed) as Answer), writtenAt: position };
  return { ...toAnswer(mustWritten(outcomes[0])), writtenAt: position };
}

export function toDecision(decide: Decide, before: StoredDocument | undefined): Decision {
  try {
    const decided = decide(before);
    return decided === 'remove' ? { kind: 'remove' } : { kind: 'put', document: decided };
  } catch (thrown) {
    return { kind: 'refuse', fault: toFault(thrown) };
  }
}

function mustWritten(outcome: Outcome | undefined): WrittenDocument {
  if (outcome === undefined || outcome.kind === 'undone') throw new Fault('unknown', { cause: new Error('a write of one mutation gave no outcome of its own') });
  if (outcome.kind === 'refused') throw outcome.fault;
  return outcome;
}

/** The document after the write, as its caller may see it. */
export function toDocumentAnswer(call: Asked, { before, after }: WrittenDocument): Answer {
  if (after === undefined) throw new Fault('unknown', { cause: new Error('a put left no document') });
  const body = presenter(call.resource, call.principal, undefined)(after);
  return { status: before === undefined ? 201 : 200, body, headers: { etag: toETag(body), 'content-type': 'application/json' } };
}

/**
 * Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one key of one caller, one effect, one answer.
 * The record is the first insert of the write's own transaction, so a crash leaves both or neither.
 */
function toOnce(call: WriteCall, answer: (outcomes: readonly Outcome[]) => string): WriteOptions['once'] {
  const header = call.hop.header('idempotency-key');
  if (header === null) return undefined;
  const key = parseIdempotencyKey(header);
  if (key === undefined) throw idempotencyKeyInvalid();
  const { hop, principal, resource, id, input } = call;
  const noneMatch = hop.header('if-none-match');
  return {
    // The id and not the path: a path has several spellings.
    key: hashOf([principal.subject ?? '', hop.method, resource.name, id, key]),
    // The recorded answer shows what its caller could see; with other claims or roles it is another request.
    fingerprint: hashOf([input.bodyText, hop.query, hop.header('if-match') ?? '', scopeOf(resource, principal), ...(noneMatch === null ? [] : [noneMatch])]),
    answer,
  };
}

function idempotencyKeyInvalid(): Fault {
  const detail = '1 to 255 characters of ASCII, plain without spaces or as a string in double quotes';
  return new Fault('header_invalid', { detail: `Idempotency-Key: ${detail}`, errors: [{ at: 'Idempotency-Key', in: 'header', detail }] });
}

function hashOf(parts: readonly string[]): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(parts)).digest('base64url');
}

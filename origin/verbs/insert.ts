import { Fault } from '../../shared/contract/fault.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { currentVersion } from '../../shared/contract/routes.ts';
import type { JsonObject } from '../../shared/contract/values.ts';
import type { Answer, Asked, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustAllow, mustAllowFields, toCreated } from '../write-rules.ts';
import { toDocumentAnswer, writeOne } from './write.ts';

export function insert(context: Context, call: Call<'create'>): Promise<Answer> {
  const { id: given, ...body } = call.input.body;
  const id = typeof given === 'string' ? given : newId(call.resource, context.now());
  const document = toCreated(body, context.now());
  mustCreate(call, id, document);
  const decide = (before: unknown) => {
    if (before !== undefined) throw taken(id);
    return document;
  };
  return writeOne(context, call, id, decide, (written) => {
    const answer = toDocumentAnswer(call, written);
    return { ...answer, headers: { ...answer.headers, location: `/${currentVersion}/${call.resource.name}/${encodeURIComponent(id)}` } };
  });
}

/** The rule holds for what would be created; the document is new, so nothing more is known inside the transaction. */
export function mustCreate(call: Pick<Asked, 'resource' | 'principal' | 'writable'>, id: string, document: JsonObject): void {
  if (call.writable !== true) mustAllow({ id, ...document }, call.writable);
  mustAllowFields(call, undefined, document);
}

/** Whoever names documents meets the names that others gave, also those that they may not see (SEMANTICS §8). */
export function taken(id: string): Fault {
  return new Fault('document_exists', { detail: `id: ${JSON.stringify(id)} is taken`, errors: [{ at: '/id', in: 'body', detail: 'is taken' }] });
}

/** UUID v7 (RFC 9562 §5.7): ordered by time, so that inserts go to one end of the index. */
export function newId({ id }: Resource, nowMs: number): string {
  if (id !== 'objectId') return Bun.randomUUIDv7();
  return Math.floor(nowMs / 1_000).toString(16).padStart(8, '0') + Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}

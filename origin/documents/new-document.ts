/** What a document that is created must pass, and the id that it gets. */
import { Fault } from '../../shared/wire/fault.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Predicate } from '../../shared/contract/rules.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { mustAllow, mustAllowFields } from './write-rules.ts';

/** The rule holds for what would be created; the document is new, so nothing more is known inside the transaction. */
export function mustCreate(call: Pick<Asked, 'resource' | 'principal'>, creatable: Predicate, id: string, document: JsonObject): void {
  if (creatable !== true) mustAllow({ id, ...document }, creatable);
  mustAllowFields(call, undefined, document);
}

/** Whoever names documents meets the names that others gave, also those that they may not see (SEMANTICS §8). */
export function taken(id: string): Fault {
  return new Fault('document_exists', {
    detail: `id: ${JSON.stringify(id)} is taken`,
    errors: [{ at: '/id', in: 'body', detail: 'is taken' }],
  });
}

/** UUID v7 (RFC 9562 §5.7): ordered by time, so that inserts go to one end of the index. */
export function newId({ id }: Resource, nowMs: number): string {
  if (id !== 'objectId') return Bun.randomUUIDv7();
  return Math.floor(nowMs / 1_000).toString(16).padStart(8, '0') + Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex');
}

/** What a document that is created must pass, and the id that it gets. */
import { Fault } from '../../shared/wire/fault.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { instantAt, type JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { deriveNext } from './before-write.ts';
import { causing } from './caused.ts';
import { mustMeetConditions } from './etag.ts';
import { withDefaults } from './given-fields.ts';
import { mustAllow, mustAllowFields, ruleOf } from './write-rules.ts';

interface Making {
  readonly id: string;
  /** Its fields, as the schema made them of what was sent. */
  readonly body: JsonObject;
  readonly nowMs: number;
}

/** The stored form of a document that is made, whose rules hold of what it is; nothing that is there tells more. */
export function mustMake(call: Asked, { id, body: given, nowMs }: Making): JsonObject {
  const body = withDefaults(call, given);
  // The field rules hold of what the caller sent, the row rule of all that is written.
  const sent = toCreated(call.resource, body, nowMs);
  mustAllowFields(call, undefined, sent);
  const { fields: derived, also } = deriveNext(call, { id, before: undefined, next: body, nowMs });
  const document = derived === body ? sent : toCreated(call.resource, derived, nowMs);
  const creatable = ruleOf(call, 'create');
  if (creatable !== true) mustAllow({ id: toIdValue(call.resource, id), ...document }, creatable);
  mustMeetConditions(call.preconditions, () => undefined);
  return causing(document, also);
}

function toCreated({ system: { rev, createdAt, updatedAt } }: Resource, body: JsonObject, nowMs: number): JsonObject {
  const now = instantAt(nowMs);
  return {
    ...body,
    ...(rev === undefined ? {} : { [rev]: 1 }),
    ...(createdAt === undefined ? {} : { [createdAt]: now }),
    ...(updatedAt === undefined ? {} : { [updatedAt]: now }),
  };
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

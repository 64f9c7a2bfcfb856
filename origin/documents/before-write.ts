/**
 * Hooks before a write (SEMANTICS §18): what a team derives of a document, or refuses, as it is about to be written. A hook
 * is told values and answers at once: neither the store nor the call reaches it, and a promise does not compile. It runs
 * inside the transaction, maybe more than once, for whoever writes and whichever way, the system too.
 */
import type * as z from 'zod';
import type { Contract } from '../../shared/contract/contract.ts';
import { bodiesOf, mustBody } from '../../shared/contract/documents.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import { DeclarationError } from '../../shared/checks/mistakes.ts';
import { mustPatched } from '../../shared/contract/patched.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { copyOf, type Json, type JsonObject, ownOf } from '../../shared/wire/values.ts';
import { asDocument, type DocumentOf } from '../access/document-of.ts';
import type { Asked } from '../call.ts';
import { type Enqueue, type EnqueuedJob, enqueuing } from '../job-queue/enqueue.ts';

export interface Writing<R extends Resource> {
  /** `undefined`: the document is new. */
  readonly before: DocumentOf<R> | undefined;
  /** A copy of the document as it would be written. In one that others wrote, any field may be missing. */
  readonly next: DocumentOf<R>;
  /** Whoever the call is of, also where it writes as the system. */
  readonly principal: Principal;
  /** Milliseconds of the epoch. */
  readonly now: number;
  /** A job that is committed with the document, and is not where nothing is written. */
  readonly enqueue: Enqueue<void>;
}

/** Fields in the place of those of `next`; what is not named stays, `null` takes a field out. A promise is none. */
export type Derived<R extends Resource> = {
  readonly [Name in keyof z.output<R['schema']>]?: z.output<R['schema']>[Name] | null | undefined;
} & { readonly then?: never };

export interface BeforeWrite {
  readonly resource: Resource;
  readonly derive: (writing: Writing<Resource>) => unknown;
}

/** By the names of their resources. */
export type BeforeWrites = ReadonlyMap<string, BeforeWrite['derive']>;

/** Exported for the files of `origin/hooks`. A Fault that the hook throws refuses the write; whatever else it throws is a 500. */
export function beforeWrite<R extends Resource>(resource: R, hook: (writing: Writing<R>) => Derived<R>): BeforeWrite {
  // `deriveNext` gives a hook documents of its own resource alone, which it is found by.
  return { resource, derive: hook as unknown as BeforeWrite['derive'] };
}

/** One hook of a served resource each, or the origin does not start. */
export function mustBeforeWrites(hooks: readonly BeforeWrite[], { resources }: Contract): BeforeWrites {
  const names = hooks.map(({ resource }) => resource.name);
  const mistakes = [...new Set(names)].flatMap((name) => [
    ...(resources.has(name) ? [] : [`origin/hooks/all.ts: resource "${name}": is not served`]),
    ...(names.filter((each) => each === name).length === 1 ? [] : [`origin/hooks/all.ts: resource "${name}": has more than one hook`]),
  ]);
  if (mistakes.length > 0) throw new DeclarationError(mistakes);
  return new Map(hooks.map(({ resource, derive }) => [resource.name, derive]));
}

type Writer = Pick<Asked, 'resource' | 'principal' | 'beforeWrites' | 'traceparent'>;

interface Images {
  readonly id: string;
  readonly before: JsonObject | undefined;
  /** The fields that would be written. */
  readonly next: JsonObject;
  readonly nowMs: number;
}

interface DerivedNext {
  /** Those of `next` themselves where no hook changes any. */
  readonly fields: JsonObject;
  /** What is written with them. */
  readonly also: readonly EnqueuedJob[];
}

/** The fields that are written, and what they cause. */
export function deriveNext({ resource, principal, beforeWrites, traceparent }: Writer, { id, before, next, nowMs }: Images): DerivedNext {
  const derive = beforeWrites?.get(resource.name);
  if (derive === undefined) return { fields: next, also: [] };
  const also: EnqueuedJob[] = [];
  const causing = { principal, nowMs, traceparent };
  const enqueue: Enqueue<void> = (job, payload, how = {}) => void also.push(enqueuing(job, payload, how, causing));
  const document = (fields: JsonObject) => asDocument<Resource>(copyOf({ id: toIdValue(resource, id), ...fields }));
  const shown = document(next);
  const answer = derive({ before: before && document(before), next: shown, principal, now: nowMs, enqueue });
  const derived = Object.entries(mustAtOnce(resource, answer)).flatMap(([name, value]): [string, Json][] => {
    const isSame = value === undefined || isSameJson(value, ownOf(next, name)) || (value === null && !Object.hasOwn(next, name));
    return isSame || name === 'id' ? [] : [[name, value]];
  });
  return { fields: derived.length === 0 ? next : mustFit(resource, next, Object.fromEntries(derived)), also };
}

/** A promise that a cast let through is refused, and whatever becomes of it is nobody's. */
function mustAtOnce({ name }: Resource, answer: unknown): Readonly<Record<string, Json | undefined>> {
  if (answer instanceof Promise) answer.catch(() => undefined);
  if (typeof answer === 'object' && answer !== null && !Array.isArray(answer) && !('then' in answer)) {
    return answer as Readonly<Record<string, Json | undefined>>;
  }
  throw new Error(`origin/hooks: the hook of "${name}" must answer with fields, at once`);
}

/** What does not fit the schema is a mistake of the hook: its caller can mend nothing. */
function mustFit(resource: Resource, next: JsonObject, derived: JsonObject): JsonObject {
  try {
    return mustPatched(resource, next, mustBody(bodiesOf(resource).patch, derived));
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    throw new Error(`origin/hooks: what the hook of "${resource.name}" gives is no document: ${thrown.detail ?? ''}`, { cause: thrown });
  }
}

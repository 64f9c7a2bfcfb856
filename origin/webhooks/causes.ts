/**
 * Which traced write a change is of (W3C Trace Context): a change in the feed tells nothing of whoever made it, so a traced write
 * leaves a note beside its document, in its own transaction, and a webhook that is told of the change looks for that. A note has
 * room for some writes, the last ones of its documents: a change that is told so late that it finds none is told without a trace.
 */
import type { DocumentChange } from '../../shared/contract/change.ts';
import { causes, type StoredCauses } from '../../shared/webhooks/resource.ts';
import { toCanonicalJson } from '../../shared/wire/hash.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { inTime } from '../feed/consumer.ts';
import type { FollowUp, Reach } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

/** Documents of one write that are noted; the others of an upload, say, are told without a trace. */
const ofOneWriteMax = 100;
/** Hex digits of a note's id: there are 4 096 of them. */
const idDigits = 3;
const ofOneNoteMax = 8;

const noted = new WeakMap<Reach, number>();

/** `document`: as it is left; `undefined`: it is gone. */
export function noteOfCause(
  traces: Context['traces'], { resource, id, traceparent: trace }: Pick<Asked, 'resource' | 'id' | 'traceparent'>,
  { document, reach }: { readonly document: JsonObject | undefined; readonly reach: Reach },
): readonly FollowUp[] {
  if (traces === undefined || !resource.live || trace?.endsWith('-01') !== true) return [];
  const count = (noted.get(reach) ?? 0) + 1;
  noted.set(reach, count);
  if (count > ofOneWriteMax) return [];
  const of = placeOf(resource.name, id);
  const write = { of, left: digestOf(document), trace };
  return [{
    resource: causes, id: noteIdOf(of),
    decide: (found) => ({ kind: 'put', document: { last: [...lastIn(found).slice(1 - ofOneNoteMax), write] } }),
  }];
}

/** The traces of those among the changes that have one. */
export async function tracesOf(
  { traces, store }: Pick<Context, 'traces' | 'store'>, changes: readonly DocumentChange[],
): Promise<ReadonlyMap<DocumentChange, string>> {
  const last = changes.at(-1);
  if (traces === undefined || last === undefined) return new Map();
  const ids = new Set(changes.map(({ resource, id }) => noteIdOf(placeOf(resource, id))));
  const { value: found } = await store.many(causes, [...ids], { ...inTime(), atLeast: last.position });
  const notes = new Map(found.map((note) => [note.id, lastIn(note)]));
  return new Map(changes.flatMap((change) => {
    const of = placeOf(change.resource, change.id);
    const writes = change.after === undefined ? [] : (notes.get(noteIdOf(of)) ?? []).filter((write) => write.of === of);
    if (writes.length === 0) return [];
    const left = digestOf(change.after ?? undefined);
    const write = writes.findLast((each) => each.left === left);
    return write === undefined ? [] : [[change, write.trace] as const];
  }));
}

/** Code alone writes it. */
function lastIn(note: StoredDocument | undefined): StoredCauses['last'] {
  return (note?.value as StoredCauses | undefined)?.last ?? [];
}

function placeOf(resource: string, id: string): string {
  return `${resource}/${id}`;
}

function noteIdOf(place: string): string {
  return sha256(place).slice(0, idDigits);
}

function digestOf(document: JsonObject | undefined): string {
  return document === undefined ? 'gone' : sha256(toCanonicalJson({ ...document, id: undefined }));
}

function sha256(text: string): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex');
}

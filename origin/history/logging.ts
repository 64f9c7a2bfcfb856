/**
 * The events of a write, as follow-ups in its own transaction (SEMANTICS §21): whatever decides to change a document of a
 * resource that keeps a log adds them, so that no change is missing there and none stands there twice.
 *
 * A document that stands otherwise than the last event left it was changed by another program meanwhile: that is an event of its
 * own, before that of the write which finds it so.
 */
import { toCanonicalJson } from '../../shared/wire/hash.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { About, FollowUp, Reach } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { type LoggedImage, toImage } from './logged-image.ts';
import { eventIdOf, eventIn, headIdOf, headIn, historyEvents, historyHeads, imagesIn, putting } from './stored-history.ts';

/** What is told of the cause of a change. */
export type Cause = Pick<Asked, 'principal' | 'isSystem'> & {
  readonly operation: Pick<Asked['operation'], 'name'>;
  /** `undefined`: nobody asked. */
  readonly requestId: string | undefined;
};

export interface Causing {
  readonly cause: Cause;
  readonly reach: Reach;
  /** Milliseconds of the epoch. */
  readonly nowMs: number;
}

/** What follows from a change, and the events of it and of what it changes. */
export function withEvents(
  changed: About & { readonly before: StoredDocument | undefined }, also: readonly FollowUp[], causing: Causing,
): readonly FollowUp[] {
  if (changed.resource.history === undefined && also.every(({ resource }) => resource.history === undefined)) return also;
  return [
    ...eventsOf(changed, () => changed.before, causing),
    ...also.flatMap((each) => [each, ...eventsOf(each, () => causing.reach.named(each.resource, each.id, { stays: false }), causing)]),
  ];
}

/** They are decided after the change, and see what it left: nothing is written where that is what was there. */
export function eventsOf(
  { resource, id, isFresh }: About, toBefore: () => StoredDocument | undefined, { cause, reach, nowMs }: Causing,
): readonly FollowUp[] {
  if (resource.history === undefined) return [];
  const before = toImage(resource, toBefore());
  const headId = headIdOf(resource.name, id);
  const head = isFresh === true ? undefined : headIn(reach.named(historyHeads, headId, { stays: false }));
  const { number: last = 0 } = head ?? {};
  // Clocks of processes differ, and events of one document are told in order.
  const at = new Date(Math.max(nowMs, Date.parse(head?.at ?? '') || 0)).toISOString();
  const isOutside = head !== undefined && head.left !== digestOf(before?.text);
  const number = last + (isOutside ? 2 : 1);
  const missed = isOutside ? lastLeft(reach, headId, last) : undefined;
  const common = { resource: resource.name, document: id, at };
  let after: LoggedImage | undefined;
  const unlessKept = (event: Parameters<typeof putting>[0]) =>
    (after?.text === before?.text ? ({ kind: 'keep' } as const) : putting(event));
  const eventAt = (number: number, toEvent: () => Parameters<typeof putting>[0]): FollowUp => ({
    resource: historyEvents, id: eventIdOf(headId, number), isFresh, decide: () => unlessKept({ ...common, number, ...toEvent() }),
  });
  return [
    {
      resource, id,
      decide(left) {
        after = toImage(resource, left);
        return { kind: 'keep' };
      },
    },
    ...(isOutside ? [eventAt(last + 1, () => ({ operation: 'outside', ...imagesOf(missed, before) }))] : []),
    eventAt(number, () => ({ ...toTold(cause), ...imagesOf(before, after) })),
    {
      resource: historyHeads, id: headId, isFresh,
      decide: () => unlessKept({ resource: resource.name, number, at, left: digestOf(after?.text) }),
    },
  ];
}

function imagesOf(before: LoggedImage | undefined, after: LoggedImage | undefined) {
  return { before: before?.text, after: after?.text, besideBefore: before?.beside, besideAfter: after?.beside };
}

function digestOf(image: string | undefined): string | undefined {
  if (image === undefined) return undefined;
  return new Bun.CryptoHasher('sha256').update(toCanonicalJson(JSON.parse(image) as Json)).digest('hex');
}

/** `undefined` where it left no document, or the event is gone. */
function lastLeft(reach: Reach, headId: string, last: number): LoggedImage | undefined {
  const found = reach.named(historyEvents, eventIdOf(headId, last), { stays: false });
  return found && imagesIn(eventIn(found)).after;
}

function toTold({ operation: { name }, principal: { subject, claims: { tenant }, key }, isSystem, requestId }: Cause) {
  return {
    operation: name, request: requestId, subject, tenant: tenant === undefined ? undefined : String(tenant), key: key?.id, system: isSystem,
  };
}

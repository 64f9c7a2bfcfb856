/** A caller's part of the change feed: where it begins, when it ends, and what of it they see. */
import { apiKeys } from '../../shared/api-keys/resource.ts';
import type { DocumentChange } from '../../shared/contract/change.ts';
import { parametersRefused } from '../../shared/wire/parameters.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Position } from '../../shared/wire/position.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import type { FeedInput } from '../../shared/operations/feed.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { presenter } from '../documents/present.ts';
import { signPosition, verifyPosition } from '../tokens.ts';
import { toTrouble } from '../trouble.ts';
import { openEventStream, type StandingCredential, type Subscription } from './event-stream.ts';

/** What is followed. `audience` need not name the key that signs ids. */
export type Followed = Pick<Subscription, 'resource' | 'readable' | 'present' | 'audience'>;

/** The documents of the call's resource that its caller may see. */
export function followResource(context: Context, call: Asked, input: FeedInput): Answer {
  const { resource, principal, rights: { readable } } = call;
  const audience = `${resource.name} ${scopeOf(resource, principal)}`;
  return follow(context, call, input, { resource, readable, present: presenter(resource, principal, undefined), audience });
}

export function follow(context: Context, call: Asked, input: FeedInput, followed: Followed): Answer {
  const { resource } = followed;
  const { keys } = context.settings;
  const from = mustBegin(input, keys);
  const ends = AbortSignal.any([AbortSignal.timeout(Math.max(0, call.deadline - context.now())), context.streams.signal]);
  const body = openEventStream(context.feed, {
    ...followed, from,
    audience: `${call.tokenKey.id} ${followed.audience}`,
    standing: async (ids, atLeast) =>
      (await context.store.many(resource, ids, { deadline: context.now() + limits.requestMsMax, atLeast })).value,
    credential: credentialOf(context, call),
    hasOwnIds: input.stream !== undefined,
    token: (position) => signPosition(position, call.tokenKey, input.stream),
    onTrouble: (cause) =>
      context.log.warn({ requestId: call.requestId, traceId: call.traceId, ...toTrouble(cause) }, 'a live stream ends early'),
  }, ends);
  return { outcome: 'streaming', body, mediaType: 'text/event-stream' };
}

/** A revoked API key ends its streams here: those who come back are known at the edge. */
function credentialOf({ store, now }: Context, { principal: { key } }: Asked): StandingCredential | undefined {
  if (key === undefined) return undefined;
  const { id } = key;
  return {
    stands: async () => (await store.get(apiKeys, id, { deadline: now() + limits.requestMsMax })).value !== undefined,
    isEndedBy: (changes) =>
      changes.some((change) => change.resource === apiKeys.name && (change.kind === 'resource' || isGone(change, id))),
  };
}

function isGone(change: DocumentChange, id: string): boolean {
  return change.id === id && change.after === null;
}

/**
 * `undefined`: from now on. `null`: what the client brought is not usable. A browser that was given `after` sends it
 * each time it comes back, beside the id that it has reached meanwhile: the later one counts, and `after` where the
 * origin has been away ever since. An id that a stream from `after` cannot have given is refused.
 */
function mustBegin({ after, lastEventId }: FeedInput, keys: readonly HopKey[]): Position | undefined | null {
  const first = after === undefined ? undefined : positionOf(after, keys);
  if (lastEventId === undefined) return first;
  const heard = verifyPosition(lastEventId, keys);
  if (heard !== undefined && heard.position === undefined) return first ?? null;
  const last = heard?.position ?? null;
  if (first === undefined || first === null) return last;
  if (last !== null && (last.epoch !== first.epoch || last.order >= first.order)) return last;
  const detail = 'disagrees with Last-Event-ID, which a stream from here cannot have given';
  throw parametersRefused([['after', detail]]);
}

function positionOf(token: string, keys: readonly HopKey[]): Position | null {
  return verifyPosition(token, keys)?.position ?? null;
}

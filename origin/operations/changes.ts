import { limits } from '../../shared/contract/limits.ts';
import { parsePosition } from '../../shared/contract/position.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { presenter } from '../documents/present.ts';
import { openEventStream } from '../sinks/live.ts';
import { signPosition, verifyPosition } from '../tokens.ts';

/** The change feed of a resource as server-sent events, from the position that the client brings, or from now. */
export async function changes(context: Context, call: Call<typeof documents.changes>): Promise<Answer> {
  const { resource, principal, rights: { readable }, input: given } = call;
  const { keys } = context.settings;
  const from = given === undefined ? undefined : (verifyPosition(given, keys) ?? null);
  const ends = AbortSignal.any([AbortSignal.timeout(Math.max(0, call.deadline - context.now())), context.streams.signal]);
  const body = openEventStream(context.feed, {
    resource, readable,
    present: presenter(resource, principal, undefined),
    audience: `${resource.name} ${scopeOf(resource, principal)}`,
    from: from === null || from === undefined ? from : parsePosition(from) ?? null,
    standing: async (ids, atLeast) => (await context.store.many(resource, ids, { deadline: context.now() + limits.requestMsMax, atLeast })).value,
    token: (position) => signPosition(position, keys[0]),
    onTrouble: (err) => context.log.warn({ requestId: call.requestId, err }, 'a live stream ends early'),
  }, ends);
  return { outcome: 'streaming', body, mediaType: 'text/event-stream' };
}

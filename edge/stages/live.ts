/**
 * A browser's `EventSource` comes back after a stream that ended, and gives up for good after any status but 200
 * (WHATWG HTML §9.2.3). So where a feed cannot be had at the moment, whoever asks for events is given a stream that
 * says when to come back, and ends. In the log it stays the failure that it is.
 */
import { isFeed } from '../../shared/operations/operation.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { signStart } from '../identity/event-ids.ts';
import { edgeLimits } from '../limits.ts';
import { log } from '../log.ts';
import type { Identified } from '../request/request.ts';
import { respond } from '../respond.ts';
import { type Answer, orElse, type Stage } from '../runner.ts';

export function live(): Stage<Identified, Identified> {
  return function live(request, next) {
    if (request.route === undefined || !isFeed(request.route.operation)) return next(request);
    return /\btext\/event-stream\b/i.test(request.sent.get('accept') ?? '') ? follow(request, next) : next(request);
  };
}

/** The statuses of what passes: a bad gateway, away or busy, too late. */
const passing: ReadonlySet<number> = new Set([502, 503, 504]);

async function follow(request: Identified, next: (request: Identified) => Answer): Promise<Response> {
  const answer = await orElse(() => next(request), (thrown) => {
    if (thrown instanceof Fault && passing.has(thrown.status)) return respond(thrown, request);
    throw thrown;
  });
  if (!passing.has(answer.status)) return answer;
  await answer.body?.cancel();
  log('warn', 'feed.away', { requestId: request.requestId, status: answer.status });
  return new Response(toWords(request), { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
}

/** A ticket that was taken has no event yet to come back with: it is given an id that says no more than whose it is. */
function toWords({ stream, sent, context }: Identified): string {
  const { feedRetryMsMin, feedRetryMsMax } = edgeLimits;
  // Delays are spread out, so that all who were cut together do not come back together.
  const retryMs = Math.round(feedRetryMsMin + Math.random() * (feedRetryMsMax - feedRetryMsMin));
  const isNew = stream !== undefined && !sent.has('last-event-id');
  return `retry: ${retryMs}\n${isNew ? `id: ${signStart(stream, context.macs)}\n` : ''}\n`;
}

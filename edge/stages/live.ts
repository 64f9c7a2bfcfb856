/**
 * A browser's `EventSource` comes back after a stream that ended, and gives up for good after any status but 200
 * (WHATWG HTML §9.2.3). So where a feed cannot be had at the moment, whoever asks for events is given a stream that
 * says when to come back, and ends. In the log it stays the failure that it is.
 */
import type { Context } from 'hono';
import type { Route } from '../../shared/operations/route.ts';
import type { EdgeEnv } from '../context.ts';
import { signStart } from '../hop/event-ids.ts';
import { edgeLimits } from '../limits.ts';
import { log } from '../log.ts';
import type { Next, Stage } from '../path.ts';

export function live(): Stage {
  return function live(c, next) {
    const route: Route | undefined = c.get('route');
    const isFeed = route?.operation.answers === 'moment' && /\btext\/event-stream\b/i.test(c.get('sent').get('accept') ?? '');
    return isFeed ? follow(c, next) : undefined;
  };
}

/** Bad gateway, away or busy, too late: passing, whoever says it. */
const passing: ReadonlySet<number> = new Set([502, 503, 504]);

async function follow(c: Context<EdgeEnv>, next: Next): Promise<Response> {
  const answer = await next();
  if (!passing.has(answer.status)) return answer;
  await answer.body?.cancel();
  log('warn', 'feed.away', { requestId: c.get('requestId'), status: answer.status });
  return new Response(await toWords(c), { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
}

/** A ticket that was taken has no event yet to come back with: it is given an id that says no more than whose it is. */
async function toWords(c: Context<EdgeEnv>): Promise<string> {
  const { feedRetryMsMin, feedRetryMsMax } = edgeLimits;
  // Spread out, so that all who were cut together do not come back together.
  const retryMs = Math.round(feedRetryMsMin + Math.random() * (feedRetryMsMax - feedRetryMsMin));
  const stream = c.get('stream');
  const isNew = stream !== undefined && !c.get('sent').has('last-event-id');
  return `retry: ${retryMs}\n${isNew ? `id: ${await signStart(stream, c.get('context').macs)}\n` : ''}\n`;
}

/** How every answer leaves, refusals included: with what was told of it, and once the request is read. */
import type { Context } from 'hono';
import type { EdgeEnv } from './context.ts';
import { setCorsHeaders } from './cors.ts';
import { dress } from './dressing.ts';
import { discard } from './read-body.ts';
import type { SentHeaders } from './sent-headers.ts';
import { tellTimings } from './timings.ts';

/** Of the answer, whoever gives it. */
export function tell(c: Context<EdgeEnv>, name: string, value: string): void {
  c.get('told').push([name, value]);
}

export async function leave(c: Context<EdgeEnv>, answer: Response): Promise<Response> {
  const { raw } = c.req;
  if (raw.body !== null && !raw.bodyUsed) await discard(raw.body);
  const { headers } = answer;
  decorate(c, headers);
  for (const [name, value] of c.get('told')) headers.set(name, value);
  tellTimings(c, headers);
  // The answer to HEAD has no content (RFC 9110 §9.3.2): tell whoever produces it to stop.
  if (raw.method === 'HEAD' && answer.body !== null) await answer.body.cancel();
  return answer;
}

/** What browsers need, once the isolate is configured and the request's fields are read. */
function decorate(c: Context<EdgeEnv>, headers: Headers): void {
  const sent: SentHeaders | undefined = c.get('sent');
  if (sent === undefined) return;
  const { dressing, settings } = c.get('context');
  dress(headers, dressing);
  setCorsHeaders(headers, sent, settings.corsOrigins);
}

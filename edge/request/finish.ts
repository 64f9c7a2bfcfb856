/** How every answer leaves, refusals included: with what was told of it, and once the request is read. */
import { setCorsHeaders } from './cors.ts';
import { discard } from './read-body.ts';
import type { Admitted, Arrival } from './request.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { tellTimings } from './server-timing.ts';

export async function finish(request: Arrival, answer: Response): Promise<Response> {
  const { raw } = request;
  if (raw.body !== null && !raw.bodyUsed) await discard(raw.body);
  const { headers } = answer;
  for (const [name, value] of request.told) {
    if (appended.has(name)) headers.append(name, value);
    else headers.set(name, value);
  }
  tellTimings(request, headers);
  // The answer to HEAD has no content (RFC 9110 §9.3.2): tell whoever produces it to stop.
  if (raw.method === 'HEAD' && answer.body !== null) await answer.body.cancel();
  return answer;
}

/** Fields of which an answer may have lines already. */
const appended: ReadonlySet<string> = new Set(['link', 'vary']);

/** What browsers need of every answer, once the isolate is configured and the request's fields are read. */
export function decorate({ context, sent }: Pick<Admitted, 'context' | 'sent'>, answer: Response): Response {
  setSecurityHeaders(answer.headers, context.securityHeaders);
  setCorsHeaders(answer.headers, sent, context.settings.corsOrigins);
  return answer;
}

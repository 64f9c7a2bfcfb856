/** How every answer leaves, refusals included: with what was told of it, and once the request is read. */
import { setCorsHeaders } from './cors.ts';
import type { Answer } from '../runner.ts';
import { discard } from './read-body.ts';
import type { Arrival } from './arrival.ts';
import type { Admitted } from './request.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { tellTimings } from './server-timing.ts';

export function finish(request: Arrival, answer: Response): Answer {
  tellAll(request, answer);
  const { raw } = request;
  const rest = raw.bodyUsed || raw.body === null ? undefined : discard(raw.body);
  // The answer to HEAD has no content (RFC 9110 §9.3.2): tell whoever produces it to stop.
  const end = raw.method === 'HEAD' ? answer.body?.cancel() : undefined;
  return rest === undefined && end === undefined ? answer : Promise.all([rest, end]).then(() => answer);
}

function tellAll(request: Arrival, { headers }: Response): void {
  for (const [name, value] of request.told) {
    if (appended.has(name)) headers.append(name, value);
    else headers.set(name, value);
  }
  tellTimings(request, headers);
}

/** Fields of which an answer may have lines already. */
const appended: ReadonlySet<string> = new Set(['link', 'vary']);

/** What browsers need of every answer, once the isolate is configured and the request's fields are read. */
export function decorate(request: Admitted, answer: Response): Response {
  setSecurityHeaders(answer.headers, request.context.securityHeaders);
  setCorsHeaders(answer.headers, request);
  return answer;
}

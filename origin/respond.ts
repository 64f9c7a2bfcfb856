/** The one place that decides what leaves the origin. */
import { Fault, problems } from '../shared/contract/fault.ts';
import { formatPosition } from '../shared/contract/position.ts';
import { toProblemResponse } from '../shared/contract/problem.ts';
import { scopeDigest, scopeOf } from '../shared/contract/scope.ts';
import { readHeader } from '../shared/hop/profile.ts';
import type { Answer, Asked } from './call.ts';
import type { Context } from './context.ts';
import { signAnswer } from './hop/sign.ts';
import { signPosition } from './tokens.ts';

export function respond(context: Context, { hop, resource, principal }: Asked, answer: Answer): Response {
  const { headers, status } = answer;
  const [key] = context.settings.keys;
  if (answer.writtenAt !== undefined) headers['tombolo-position'] = signPosition(answer.writtenAt, key);
  if (answer.readAt !== undefined) {
    headers[readHeader] = `${formatPosition(answer.readAt)};${resource.digest};${scopeDigest(scopeOf(resource, principal))}`;
    signAnswer(headers, status, key, hop.parameters.nonce, context.now());
  }
  const body = hop.method === 'HEAD' || answer.body === undefined ? null : answer.body;
  return new Response(body, { status, headers });
}

/** A refusal as a problem document; what is ours to mend is logged in full, under the id that the client sees. */
export function respondFault(context: Context, fault: Fault, requestId: string): Response {
  context.refusals.set(fault.reason, (context.refusals.get(fault.reason) ?? 0) + 1);
  if (problems[fault.reason].status >= 500) context.log.error({ requestId, reason: fault.reason, facts: fault.facts, err: fault.cause ?? fault }, 'request failed');
  else context.log.debug({ requestId, reason: fault.reason, detail: fault.detail }, 'request refused');
  return toProblemResponse(fault, requestId);
}

/** What no stage before has answered is the origin's to answer, and is not kept. Answers stream through. */
import { isSafe } from '../../shared/operations/operation.ts';
import { fromReply } from '../cache/answers.ts';
import { askOrigin } from '../origin-client/ask-origin.ts';
import type { Validated } from '../request/request.ts';

export async function forward(request: Validated): Promise<Response> {
  const reply = await askOrigin(request);
  const { operation } = request.route;
  return fromReply(
    reply,
    { way: isSafe(operation) ? 'bypass' : 'method', isState: operation.answers === 'state' },
    request.context.securityHeaders,
  );
}

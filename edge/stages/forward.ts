/** What no stage before has answered is the origin's to answer, and is not kept. Answers stream through. */
import { isSafe } from '../../shared/operations/operation.ts';
import { cacheable, label } from '../cache/answers.ts';
import { askOrigin } from '../origin-client/ask-origin.ts';
import type { Validated } from '../request/request.ts';

export async function forward(request: Validated): Promise<Response> {
  const { response } = await askOrigin(request);
  const { operation } = request.route;
  label(cacheable(response, false), `fwd=${isSafe(operation) ? 'bypass' : 'method'}; fwd-status=${response.status}`, 0);
  // Only a state can be validated.
  if (operation.answers !== 'state') response.headers.set('cache-control', 'no-store');
  return response;
}

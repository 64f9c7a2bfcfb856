/**
 * The path of a request at the origin, in order. Nothing is looked up or read before its signature holds,
 * nothing reaches an operation that the contract did not parse and the rules did not let in.
 *
 *   verify → route → call → execute → respond
 */
import { toFault } from '../shared/wire/fault.ts';
import { mustRoute } from '../shared/operations/route.ts';
import type { Context } from './context.ts';
import { execute } from './execute.ts';
import { hopToCall } from './hop/to-call.ts';
import { traceOf, unknownTrace } from './hop/trace.ts';
import { refusalSigning, type VerifiedHop, verifyHop } from './hop/verify.ts';
import { respond, respondFault } from './respond.ts';

/** `untimed` lifts the server's own limits on slow bodies and quiet answers; the request's deadline stays. */
export async function handle(context: Context, request: Request, untimed: () => void): Promise<Response> {
  let hop: VerifiedHop | undefined;
  try {
    hop = verifyHop(request, context.settings.keys, context.now());
    const route = mustRoute(context.contract, hop.method, hop.path);
    const { operation } = route;
    if (operation.body === 'streamed' || operation.answers === 'moment') untimed();
    const call = await hopToCall(route, hop, request, context.now());
    const answer = await execute(context, call);
    return respond(context, hop, call, answer);
  } catch (thrown) {
    const trace = hop === undefined ? unknownTrace : traceOf(hop);
    return respondFault(context, toFault(thrown), trace, hop?.answers ?? refusalSigning(request, context.settings.keys));
  }
}

/**
 * The path of a request at the origin, in order. Nothing is looked up or read before its signature holds,
 * nothing reaches an operation that the contract did not parse and the rules did not let in.
 *
 *   verify → route → load → call → execute → respond
 *
 * A question that was asked before in the same words is a call already, and where its answer is kept and stands, that is
 * given at once: a server that has no promise to wait for need not copy the request either.
 */
import { toFault } from '../shared/wire/fault.ts';
import { mustRoute, type Route } from '../shared/operations/route.ts';
import type { Context } from './context.ts';
import { execute, keptAnswer, type RoutedCall } from './execute.ts';
import { wordsOf } from './hop/known-calls.ts';
import { hopToCall, toSameCall } from './hop/to-call.ts';
import { traceOf, unknownTrace } from './hop/trace.ts';
import { refusalSigning, type VerifiedHop, verifyHop } from './hop/verify.ts';
import { ended, type Seen } from './metrics/requests.ts';
import { respond, respondAgain, respondFault } from './respond.ts';

/** `untimed` lifts the server's own limits on slow bodies and quiet answers; the request's deadline stays. */
export function handle(context: Context, request: Request, untimed: () => void): Response | Promise<Response> {
  const seen = context.measuring?.requests.begin();
  let hop: VerifiedHop | undefined;
  try {
    hop = verifyHop(request, context.settings.keys, context.now());
    const words = wordsOf(hop);
    const known = context.calls.find(words);
    if (seen !== undefined && known !== undefined) seen.operation = known.operation.name;
    const kept = known === undefined ? undefined : keptAnswer(context, known);
    return known === undefined || kept === undefined
      ? carryOut(context, { hop, words, known, request, untimed, seen })
      : ended(seen, respondAgain(context, hop, known, kept));
  } catch (thrown) {
    return ended(seen, refuse(context, request, hop, thrown));
  }
}

interface Arrived {
  readonly hop: VerifiedHop;
  readonly words: string;
  readonly known: RoutedCall | undefined;
  readonly request: Request;
  readonly untimed: () => void;
  readonly seen: Seen | undefined;
}

async function carryOut(context: Context, arrived: Arrived): Promise<Response> {
  const { hop, known, request, seen } = arrived;
  let leave: (() => void) | undefined;
  try {
    const route = known ?? mustRoute(context.contract, hop.method, hop.path);
    leave = context.load.mustEnter(route);
    const call = known === undefined ? await newCall(context, route, arrived) : toSameCall(known, hop, context.now());
    return ended(seen, respond(context, hop, call, await execute(context, call)));
  } catch (thrown) {
    return ended(seen, refuse(context, request, hop, thrown));
  } finally {
    leave?.();
  }
}

async function newCall(context: Context, route: Route, { hop, words, request, untimed, seen }: Arrived): Promise<RoutedCall> {
  const { operation } = route;
  if (seen !== undefined) seen.operation = operation.name;
  if (operation.body === 'streamed' || operation.answers === 'moment') untimed();
  const call = await hopToCall(route, hop, request, context.now());
  context.calls.keep(words, call);
  return call;
}

function refuse(context: Context, request: Request, hop: VerifiedHop | undefined, thrown: unknown): Response {
  const trace = hop === undefined ? unknownTrace : traceOf(hop);
  return respondFault(context, toFault(thrown), trace, hop?.answers ?? refusalSigning(request, context.settings.keys));
}

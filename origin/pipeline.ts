/**
 * The path of a request at the origin, in order. Nothing is looked up or read before its signature holds,
 * nothing reaches an operation that the contract did not parse and the rules did not let in.
 *
 *   verify → route → load → call → execute → respond
 *
 * A question that was asked before in the same words is a call already, and where its answer is kept and stands, that is
 * given at once: a server that has no promise to wait for need not copy the request either.
 */
import { mustPrincipal } from '../shared/hop/principal-header.ts';
import { isPeoplePath } from '../shared/people/paths.ts';
import { toFault } from '../shared/wire/fault.ts';
import { mustRoute, type Route } from '../shared/operations/route.ts';
import type { OriginContext } from './origin-context.ts';
import { execute, keptAnswer } from './execute.ts';
import type { RoutedCall } from './routed-call.ts';
import { wordsOf } from './hop/known-calls.ts';
import { hopToCall, toSameCall } from './hop/to-call.ts';
import { traceOf } from './hop/trace.ts';
import { refusalSigning, type VerifiedHop, verifyHop } from './hop/verify.ts';
import { answerPeople } from './people/over-hop.ts';
import type { People } from './people/people.ts';
import { respond, respondAgain, respondFault, respondReply } from './respond.ts';
import { Watched } from './watched.ts';

/** `untimed` lifts the server's own limits on slow bodies and quiet answers; the request's deadline stays. */
export function handle(context: OriginContext, request: Request, untimed: () => void): Response | Promise<Response> {
  const watched = new Watched(context);
  let hop: VerifiedHop | undefined;
  try {
    hop = verifyHop(request, context.settings.keys, context.now());
    watched.begin(traceOf(hop), hop.header('traceparent') ?? undefined, hop.header('tracestate') ?? undefined);
    const { people } = context;
    if (people !== undefined && isPeoplePath(hop.path)) return askPeople(context, people, { hop, request, watched });
    const words = wordsOf(hop);
    const known = context.calls.find(words);
    if (known !== undefined) watched.found(known);
    const kept = known === undefined ? undefined : keptAnswer(context, known);
    return known === undefined || kept === undefined
      ? carryOut(context, { hop, words, known, request, untimed, watched })
      : watched.answered(respondAgain(context, hop, known, kept), kept.body);
  } catch (thrown) {
    return refuse(context, { hop, request, watched }, thrown);
  }
}

type AskedOfPeople = Pick<Arrived, 'hop' | 'request' | 'watched'>;

async function askPeople(context: OriginContext, people: People, arrived: AskedOfPeople): Promise<Response> {
  const { hop, request, watched } = arrived;
  watched.found({ operation: { name: 'people' } });
  try {
    const reply = await answerPeople(people, hop, request);
    return watched.answeredPeople(respondReply(context, hop, reply), reply);
  } catch (thrown) {
    return refuse(context, arrived, thrown);
  }
}

interface Arrived {
  readonly hop: VerifiedHop;
  readonly words: string;
  readonly known: RoutedCall | undefined;
  readonly request: Request;
  readonly untimed: () => void;
  readonly watched: Watched;
}

async function carryOut(context: OriginContext, arrived: Arrived): Promise<Response> {
  const { hop, known, watched } = arrived;
  let leave: (() => void) | undefined;
  try {
    const route = known ?? mustRoute(context.contract, hop.method, hop.path);
    leave = context.load.mustEnter(route);
    const call = known === undefined ? await newCall(context, route, arrived) : toSameCall(known, hop, toSeen(context, watched));
    const answer = await execute(watched.context, call);
    return watched.answered(respond(context, hop, call, answer), answer.body);
  } catch (thrown) {
    return refuse(context, arrived, thrown);
  } finally {
    leave?.();
  }
}

async function newCall(context: OriginContext, route: Route, { hop, words, request, untimed, watched }: Arrived): Promise<RoutedCall> {
  const { operation, resource } = route;
  watched.found({ operation, resource, principal: mustPrincipal(hop.header('tombolo-principal')) });
  if (operation.body === 'streamed' || operation.answers === 'moment') untimed();
  const call = await hopToCall(route, hop, request, toSeen(context, watched));
  context.calls.keep(words, call);
  return call;
}

function toSeen(context: OriginContext, { traceparent }: Watched) {
  return { nowMs: context.now(), traceparent };
}

type Refused = Pick<Arrived, 'request' | 'watched'> & { readonly hop: VerifiedHop | undefined };

function refuse(context: OriginContext, { hop, request, watched }: Refused, thrown: unknown): Response {
  return respondFault(context, toFault(thrown), watched, hop?.answers ?? refusalSigning(request, context.settings.keys));
}

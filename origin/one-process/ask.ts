/**
 * The way from the edge to the origin inside one process: a question becomes a call, and the answer is handed back with
 * what it states of its reading. Nothing is signed, since nothing leaves the process; there is no nonce to be spent twice.
 */
import type { Origin } from '../../edge/origin-client/origin-client.ts';
import { toUnready } from '../../edge/origin-client/readiness.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import { mustRoute } from '../../shared/operations/route.ts';
import { isPeoplePath } from '../../shared/people/paths.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { type SentBody, toCall } from '../calls.ts';
import type { OriginContext } from '../origin-context.ts';
import { execute } from '../execute.ts';
import { randomNonce } from '../hop/hmac.ts';
import { asRoutedCall, mustUtf8 } from '../hop/to-call.ts';
import type { Trace } from '../hop/trace.ts';
import { readUpload } from '../hop/upload.ts';
import type { AskedOfPeople } from '../people/people.ts';
import type { Reply } from '../reply.ts';
import { toRefusal, toReply } from '../respond.ts';
import { Watched } from '../watched.ts';

type Question = Parameters<Origin['ask']>[0];

/** `untimed` lifts the server's own limits on slow bodies and quiet answers from the named request. */
export function toOrigin(context: OriginContext, untimed: (requestId: string) => void): Origin {
  const readiness = async () => [await toReadiness(context)];
  return { ask: (question) => ask(context, question, untimed), readiness, load: () => context.load.level };
}

/** GET is answered by the door; HEAD comes as far as here. */
async function toReadiness({ services }: OriginContext) {
  const states = await services.states();
  return Object.values(states).every(({ ready }) => ready) ? ({ status: 'ready' } as const) : toUnready({ services: states });
}

async function ask(context: OriginContext, question: Question, untimed: (requestId: string) => void): Promise<Reply> {
  const { method, target, headers, principal, atLeast, deadlineAt, streamMs, requestId, traceparent } = question;
  const watched = new Watched(context);
  const trace = { requestId, traceId: traceparent.slice(3, 35) };
  watched.begin(trace, traceparent, headers.tracestate);
  let leave: (() => void) | undefined;
  try {
    if (context.people !== undefined && isPeoplePath(target.path)) {
      watched.found({ operation: { name: 'people' } });
      const reply = await context.people.answer(toPeople(question, trace));
      return watched.answeredPeople(reply, reply);
    }
    const route = mustRoute(context.contract, method, target.path);
    leave = context.load.mustEnter(route);
    const { operation } = route;
    watched.found({ operation, resource: route.resource, principal });
    if (operation.body === 'streamed' || operation.answers === 'moment') untimed(requestId);
    const now = context.now();
    const call = await toCall({
      ...route, ...trace, traceparent: watched.traceparent, principal, atLeast,
      input: { query: target.query },
      header: (name) => headers[name] ?? null,
      body: async () => toBody(operation, question),
      deadline: streamMs === undefined ? deadlineAt : now + streamMs,
      nonce: undefined,
      tokenKey: context.settings.keys[0],
    }, now);
    const answer = await execute(watched.context, asRoutedCall(call));
    return watched.answered(toReply(target, call, answer), answer.body);
  } catch (thrown) {
    return toRefusal(toFault(thrown), watched);
  } finally {
    leave?.();
  }
}

function toPeople({ method, target, headers, body }: Question, trace: Trace): AskedOfPeople {
  const bytes = body instanceof Uint8Array ? body : undefined;
  return { method, ...target, body: bytes, ...trace, nonce: undefined, header: (name) => headers[name] ?? null };
}

function toBody({ body: kind, bodyBytesMax }: Operation, { body, headers, checked }: Question): SentBody {
  if (kind === 'none') return undefined;
  if (typeof body === 'function') {
    const nonce = randomNonce();
    const chunks = readUpload(body(nonce), { nonce, length: headers['tombolo-upload'] ?? null }, bodyBytesMax);
    return { mediaType: headers['content-type'] ?? '', chunks };
  }
  const bytes = body ?? new Uint8Array(0);
  if (bytes.length > bodyBytesMax) throw new Fault('body_too_large', { detail: `at most ${bodyBytesMax} bytes` });
  return { text: mustUtf8(bytes), contentType: headers['content-type'] ?? null, checked };
}

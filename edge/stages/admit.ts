/** Names target, fields, sender and deadline for the stages behind, and gives every answer what browsers need. */
import { limits } from '../../shared/wire/limits.ts';
import { floodKey } from '../rate-limit/flood-key.ts';
import { decorate } from '../request/finish.ts';
import { SentHeaders } from '../request/request-headers.ts';
import type { Admitted, Configured } from '../request/request.ts';
import { toTarget } from '../request/target.ts';
import { respond } from '../respond.ts';
import { orElse, type Stage } from '../runner.ts';

export function admit(): Stage<Configured, Admitted> {
  return function admit(request, next) {
    const { raw, requestId, waitUntil, told, seen, timings, context } = request;
    const sent = new SentHeaders(raw.headers);
    const admitted: Admitted = {
      raw, requestId, waitUntil, told, seen, timings, context, sent,
      target: toTarget(raw.url), network: networkOf(request, sent), deadlineAt: Date.now() + limits.requestMsMax,
    };
    const answer = orElse(() => next(admitted), (thrown) => respond(thrown, request));
    return answer instanceof Promise ? answer.then((given) => decorate(admitted, given)) : decorate(admitted, answer);
  };
}

function networkOf({ context: { host }, raw }: Configured, sent: SentHeaders): string | undefined {
  const address = host.addressOf(raw, sent);
  return address === undefined ? undefined : floodKey(address);
}

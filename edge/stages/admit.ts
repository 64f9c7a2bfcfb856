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
    const sent = new SentHeaders(request.raw.headers);
    const admitted = {
      ...request, sent, target: toTarget(request.raw.url), network: networkOf(sent), deadlineAt: Date.now() + limits.requestMsMax,
    };
    const answer = orElse(() => next(admitted), (thrown) => respond(thrown, request));
    return answer instanceof Promise ? answer.then((given) => decorate(admitted, given)) : decorate(admitted, answer);
  };
}

/** Cloudflare sets the header, over whatever a client sent. Without Cloudflare there is none, and no address. */
function networkOf(sent: SentHeaders): string | undefined {
  const address = sent.get('cf-connecting-ip');
  return address === null ? undefined : floodKey(address);
}

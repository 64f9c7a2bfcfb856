/**
 * Input against the contract: representation, parameters, conditions, body. What passes is what the origin
 * would have taken; the origin checks again, since it may be newer, and the bytes it gets are those received.
 */
import { mustBody, mustJson } from '../../shared/contract/documents.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { mustAccept, mustContentType } from '../request/negotiate.ts';
import { demandedToken, mustDemandedPosition } from '../request/position-token.ts';
import { mustRead, mustText } from '../request/read-body.ts';
import type { ForOrigin, Identified, Validated } from '../request/request.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import type { Stage } from '../runner.ts';

export function validate(): Stage<Identified<ForOrigin>, Validated> {
  return function validate(request, next) {
    const { route, sent, target, context } = request;
    mustAccept(sent.get('accept'), route.operation);
    mustContentType(sent, route.operation);
    const header = (name: string) => sent.get(name);
    const cached = context.reads.mustRead(route, target.query, header);
    const preconditions = mustPreconditions(route, header);
    const valid = { ...request, cached, preconditions, demanded: undefined, body: undefined };
    const token = isSafe(route.operation) ? demandedToken(sent) : undefined;
    if (token !== undefined) return next({ ...valid, demanded: mustDemandedPosition(token, context.macs) });
    return route.operation.schema === undefined ? next(valid) : mustBeBody(request).then((body) => next({ ...valid, body }));
  };
}

/** The bytes are kept: the origin gets those received, under their digest. */
async function mustBeBody({ raw, route, sent, deadlineAt }: ForOrigin): Promise<Uint8Array<ArrayBuffer>> {
  const { operation, resource } = route;
  const bytes = await mustRead(raw, { bytesMax: operation.bodyBytesMax, declared: sent.get('content-length'), deadlineAt });
  const value = mustJson(mustText(bytes));
  if (operation.schema !== undefined) mustBody(operation.schema(resource), value);
  return bytes;
}

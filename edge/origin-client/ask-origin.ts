/** A client's request asked of the origin, and what its answer tells the isolate and the browser beside the client. */
import type { Dialect } from '../../shared/versions/dialect.ts';
import { everyResource } from '../../shared/contract/every-resource.ts';
import { isEndpoint } from '../../shared/operations/endpoint.ts';
import { withoutSuffix } from '../../shared/wire/entity-tags.ts';
import { parsePosition } from '../../shared/wire/position.ts';
import { positionCookie, positionHeader } from '../request/position-token.ts';
import type { Validated } from '../request/request.ts';
import { downReply, tagOf } from '../versions/reply.ts';
import type { Reply } from './origin-client.ts';
import { type Asking, toQuestion } from './question.ts';

/** In the words of the caller's version, as far as those differ from the origin's. */
export function askOrigin(request: Validated, asking: Asking = request.preconditions): Promise<Reply> {
  const { dialect, route: { operation } } = request;
  const reply = dialect === undefined ? askCurrent(request, asking) : askInOlder(request, dialect, asking);
  return operation.isNegotiated === true ? reply.then(varying) : reply;
}

/** Whoever keeps the answer keeps it with the `Accept` that it was made for (RFC 9110 §12.5.5). */
function varying(reply: Reply): Reply {
  return { ...reply, headers: { ...reply.headers, vary: 'Accept' } };
}

async function askInOlder(request: Validated, dialect: Dialect, asking: Asking): Promise<Reply> {
  const { output, shown = output, digest } = dialect;
  const tag = tagOf(digest, request.form);
  const own = (list: string | undefined) => (list === undefined || shown === undefined ? list : withoutSuffix(list, tag));
  const reply = await askCurrent(request, { ifMatch: own(asking.ifMatch), ifNoneMatch: own(asking.ifNoneMatch) });
  return downReply(reply, dialect, request);
}

async function askCurrent(request: Validated, asking: Asking): Promise<Reply> {
  const { context: { origin, generations, contract }, route, sent } = request;
  const reply = await origin.ask(toQuestion(request, asking));
  const position = reply.headers[positionHeader];
  if (position === undefined) return reply;
  const written = parsePosition(position.slice(0, position.lastIndexOf('.')));
  // An endpoint may have written to any resource, and so may a transaction.
  const isOfAll = isEndpoint(route.operation) || route.resource.name === everyResource;
  const names = isOfAll ? contract.resources.keys() : [route.resource.name];
  if (written !== undefined) for (const name of names) generations.noteWrite(name, written);
  // Only browsers send Sec-Fetch-*; they get the position where they cannot forget it (SEMANTICS §1).
  return sent.has('sec-fetch-site') ? { ...reply, headers: { ...reply.headers, 'set-cookie': positionCookie(position) } } : reply;
}

import { Fault } from '../../shared/contract/fault.ts';
import { toProblem, problemMediaType } from '../../shared/contract/problem.ts';
import { satisfies } from '../../shared/contract/rules.ts';
import type { Answer, Asked, Call } from '../call.ts';
import { toBytes } from '../body-bytes.ts';
import type { Context } from '../context.ts';
import { isUnchanged, mustMatch, toETag } from '../etag.ts';
import { piecesPresenter } from '../present.ts';
import { mustBeServable } from '../servable.ts';

export async function get(context: Context, call: Call<'one'>): Promise<Answer> {
  const { resource, id, readable, hop } = call;
  const { value: document, position } = await context.store.get(resource, id, readOptions(call));
  if (document === undefined || (readable !== true && !satisfies(document.value, readable))) return { ...notFound(call), readAt: position };
  mustBeServable(resource, document);
  const pieces = piecesPresenter(resource, call.principal, call.input.fields)(document);
  return { ...conditional(hop, pieces, 'application/json'), readAt: position };
}

export function readOptions({ deadline, atLeast }: Asked): { deadline: number; atLeast?: NonNullable<Asked['atLeast']> } {
  return atLeast === undefined ? { deadline } : { deadline, atLeast };
}

/** A representation under its preconditions (RFC 9110 §13.2.2): 412, 304 or 200. Encoded once, for its hash and the socket. */
export function conditional(hop: Asked['hop'], pieces: readonly string[], contentType: string): Answer {
  const body = toBytes(pieces);
  const etag = toETag(body);
  mustMatch(hop, () => etag);
  if (isUnchanged(hop, etag)) return { status: 304, body: undefined, headers: { etag } };
  return { status: 200, body, headers: { etag, 'content-type': contentType } };
}

/** As an answer, not a throw: the edge may keep it, since it depends on the document's key like any other. */
function notFound(call: Asked): Answer {
  const problem = toProblem(new Fault('document_not_found'), call.requestId);
  return { status: problem.status, body: JSON.stringify(problem), headers: { 'content-type': problemMediaType } };
}

/** `GET /openapi.json`: the description of the API, the same for everyone, counted like any other read of one unit. */
import { mustBeWithoutParameters } from '../../shared/wire/parameters.ts';
import { underCondition } from '../cache/answers.ts';
import type { Identified } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function describe(): Stage<Identified, Identified> {
  return function describe(request, next) {
    return request.own?.name === 'openapi' ? toAnswer(request) : next(request);
  };
}

function toAnswer({ raw, target, sent, context }: Identified): Response {
  mustBeWithoutParameters(target.query);
  const { bytes, etag } = context.description.mustWritten();
  const headers = { 'content-type': 'application/json', 'cache-control': 'public, no-cache', etag, 'content-length': String(bytes.length) };
  const answer = new Response(raw.method === 'HEAD' ? null : bytes, { headers });
  return underCondition(answer, sent.get('if-none-match') ?? undefined);
}

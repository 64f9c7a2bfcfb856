/**
 * `/auth/…`: people and their sessions, which the origin keeps (SEMANTICS §20). Nothing of it is cached, and this is the only
 * place where cookies of a client go on to the origin and cookies of the origin to a client.
 */
import { peopleLimits } from '../../shared/people/limits.ts';
import { peopleCookie, setCookiesHeader } from '../../shared/people/paths.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import type { HopHeader } from '../../shared/hop/profile.ts';
import type { Reply } from '../origin-client/origin-client.ts';
import { mustOwnPage } from '../people/own-page.ts';
import { mustRead } from '../request/read-body.ts';
import type { Identified } from '../request/request.ts';
import { traceparentOf } from '../request/traceparent.ts';
import type { Stage } from '../runner.ts';

export function people(): Stage<Identified, Identified> {
  return function people(request, next) {
    return request.own?.name === 'people' ? ask(request) : next(request);
  };
}

async function ask(request: Identified): Promise<Response> {
  const { raw, sent, target, context, deadlineAt, requestId, waitUntil, network } = request;
  const cookie = mustOwnCookies(sent.get('cookie') ?? '');
  const page = mustOwnPage(request, cookie !== '');
  const headers: Partial<Record<HopHeader, string>> = {
    ...given('content-type', sent.get('content-type')),
    ...given('tombolo-cookie', cookie),
    ...given('tombolo-origin', page),
    ...given('tombolo-address', network),
    ...given('tombolo-agent', toAgent(sent.get('user-agent'))),
  };
  const bounds = { bytesMax: peopleLimits.bodyBytesMax, declared: sent.get('content-length'), deadlineAt };
  const body = raw.method === 'POST' ? await mustRead(raw, bounds) : undefined;
  const reply = await context.origin.ask({
    method: raw.method, target, headers, body, deadlineAt, requestId, waitUntil,
    principal: anonymous, safe: false, refusedAt: 3, traceparent: traceparentOf(request),
  });
  return toAnswer(reply);
}

function given(name: HopHeader, value: string | null | undefined): Partial<Record<HopHeader, string>> {
  return value === null || value === undefined || value === '' ? {} : { [name]: value };
}

/** Ours as they were sent, without those that other programs of the same host have set. */
function mustOwnCookies(text: string): string {
  const own = text.split(';').map((pair) => pair.trim()).filter((pair) => peopleCookie.test(pair)).join('; ');
  if (own.length <= peopleLimits.cookieCharactersMax) return own;
  throw new Fault('headers_too_large', { detail: `cookies of ours have at most ${peopleLimits.cookieCharactersMax} characters` });
}

function toAgent(text: string | null): string | undefined {
  return text?.replace(/[^\x20-\x7e]/g, '?').slice(0, peopleLimits.agentCharactersMax);
}

/** The origin's answer with its `Set-Cookie` lines, one each (RFC 6265 §3). */
function toAnswer({ status, headers: { [setCookiesHeader]: cookies, ...rest }, body }: Reply): Response {
  const headers = new Headers({ ...rest, 'cache-control': 'no-store' });
  for (const line of cookies === undefined ? [] : (JSON.parse(cookies) as readonly string[])) headers.append('set-cookie', line);
  return new Response(body, { status, headers });
}

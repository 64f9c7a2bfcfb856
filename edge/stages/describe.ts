/**
 * The API for its readers, the same for everyone, counted like any other read of one unit: `/openapi.json` for programs, and
 * `/docs` for people. It and their script are files beside the Worker.
 */
import { mustTagList } from '../../shared/contract/preconditions.ts';
import { edgePaths } from '../../shared/wire/edge-paths.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { mustBeWithoutParameters } from '../../shared/wire/parameters.ts';
import { underCondition } from '../cache/answers.ts';
import { type DocsPage, docsPolicy } from '../description/docs-page.ts';
import { edgeLimits } from '../limits.ts';
import type { OwnName } from '../own-routes.ts';
import type { SentHeaders } from '../request/request-headers.ts';
import type { Identified } from '../request/request.ts';
import type { Answer, Stage } from '../runner.ts';

export function describe(): Stage<Identified, Identified> {
  return function describe(request, next) {
    const { own } = request;
    const answer = own === undefined ? undefined : answers[own.name];
    if (answer === undefined) return next(request);
    mustBeWithoutParameters(request.target.query);
    return answer(request);
  };
}

const answers: Readonly<Partial<Record<OwnName, (request: Identified) => Answer>>> = { openapi, docs, docsScript };

async function openapi(request: Identified): Promise<Response> {
  const { context, speech } = request;
  const written = await context.description.mustWritten(speech?.version ?? context.contract.versions.current);
  return toAnswer(request, written, { 'content-type': 'application/json' });
}

function docs(request: Identified): Response {
  const { securityHeaders, description } = request.context;
  return toAnswer(request, description.docs, {
    ...securityHeaders, 'content-security-policy': docsPolicy, 'content-type': 'text/html; charset=utf-8',
  });
}

/** HEAD has the length of what it leaves away, which no platform can know. */
function toAnswer({ raw, sent }: Identified, { bytes, etag }: DocsPage, headers: Readonly<Record<string, string>>): Response {
  const answer = new Response(raw.method === 'HEAD' ? null : bytes, {
    headers: { ...headers, 'cache-control': 'public, no-cache', etag, 'content-length': String(bytes.length) },
  });
  return underCondition(answer, toCondition(sent));
}

function toCondition(sent: SentHeaders): string | undefined {
  return mustTagList('If-None-Match', sent.get('if-none-match'));
}

/** It changes with a release alone. */
async function docsScript({ sent, context: { host } }: Identified): Promise<Response> {
  const file = await host.asset(edgePaths.docsScript, toCondition(sent));
  if (file.status !== 200 && file.status !== 304) {
    throw new Fault('misconfigured', { facts: { asset: edgePaths.docsScript, status: file.status } });
  }
  const etag = file.headers.get('etag');
  const headers = {
    'content-type': 'text/javascript; charset=utf-8', 'cache-control': `public, max-age=${edgeLimits.docsScriptSeconds}`,
    ...(etag === null ? {} : { etag }),
  };
  return new Response(file.body, { status: file.status, headers });
}

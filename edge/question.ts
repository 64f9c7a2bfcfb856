/** A client's request as a question to the origin: what goes along, each from one known place. */
import type { Context } from 'hono';
import type { HopHeader } from '../shared/hop/profile.ts';
import { lengthUnknown } from '../shared/hop/upload-end.ts';
import { isSafe } from '../shared/operations/operation.ts';
import type { EdgeEnv } from './context.ts';
import { streamMs } from './live/stream-life.ts';
import { contentDigest } from './origin-client/content-digest.ts';
import type { Question } from './origin-client/origin-client.ts';
import { traceparentOf } from './hop/traceparent.ts';
import { toUpload } from './hop/upload.ts';

/** HEAD is asked as GET, so that both fill one entry (RFC 9110 §9.3.2). */
export async function toQuestion(c: Context<EdgeEnv>): Promise<Question> {
  const { operation } = c.get('route');
  const method = c.req.raw.method === 'HEAD' ? 'GET' : c.req.raw.method;
  const requestId = c.get('requestId');
  const body = toBody(c);
  const life = streamMs(c, Date.now());
  return {
    method, requestId,
    target: c.get('target'),
    safe: isSafe(operation),
    principal: c.get('principal'),
    headers: await toHeaders(c),
    atLeast: c.get('conditions').after,
    deadlineAt: c.get('deadlineAt'),
    traceparent: traceparentOf(c.get('sent'), requestId),
    ...(body === undefined ? {} : { body }),
    ...(life === undefined ? {} : { streamMs: life }),
  };
}

/** The headers that the operation reads, and those that describe its body. */
async function toHeaders(c: Context<EdgeEnv>): Promise<Question['headers']> {
  const { operation } = c.get('route');
  const { ifMatch, ifNoneMatch } = c.get('conditions');
  const sent = c.get('sent');
  const headers: Partial<Record<HopHeader, string>> = {};
  const set = (name: HopHeader, value: string | null | undefined) => {
    if (value !== null && value !== undefined) headers[name] = value;
  };
  const body = c.get('body');
  if (body !== undefined) set('content-digest', await contentDigest(body));
  if (operation.body !== 'none') set('content-type', sent.get('content-type'));
  if (operation.body === 'streamed') set('tombolo-upload', sent.get('content-length') ?? lengthUnknown);
  set('tombolo-stream', c.get('stream'));
  for (const name of operation.carries) set(name, name === 'if-match' ? ifMatch : name === 'if-none-match' ? ifNoneMatch : sent.get(name));
  return headers;
}

function toBody(c: Context<EdgeEnv>): Question['body'] {
  const { operation } = c.get('route');
  if (operation.body !== 'streamed') return c.get('body');
  return (nonce) => toUpload(c.req.raw.body, nonce, operation.bodyBytesMax);
}

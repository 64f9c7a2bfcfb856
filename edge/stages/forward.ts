/**
 * The signed hop to the origin. A read that met a broken connection is tried once more, within the deadline
 * and a budget; a write never is, because it may have been done. Answers stream through.
 */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { readHeader } from '../../shared/hop/profile.ts';
import type { EdgeEnv } from '../context.ts';
import { originUnavailable, toForwardFault } from '../forward-fault.ts';
import { positionCookie, positionHeader } from '../hop/demanded-position.ts';
import { type SignedRequest, toSignedRequest } from '../hop/hop-request.ts';
import { verifyAnswer } from '../hop/verify.ts';
import { edgeLimits } from '../limits.ts';
import { headSignal } from '../live/stream-life.ts';
import type { Stage } from '../path.ts';

export function forward(): Stage {
  return async function forward(c) {
    const { retries, macs } = c.get('context');
    retries.earn();
    const { answer, nonce } = await ask(c);
    await mustBelieveUs(answer);
    if (c.get('wantsFacts')) c.set('facts', await verifyAnswer(answer, nonce, macs, Date.now()));
    return passOn(c, answer);
  };
}

async function ask(c: Context<EdgeEnv>): Promise<{ answer: Response; nonce: string }> {
  const { signal, headArrived } = headSignal(c, Date.now());
  try {
    return await send(await toSignedRequest(c, signal));
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    if (!mayRetry(c, signal)) throw toForwardFault(cause);
    // Signed anew: the deadline is shorter now, and a nonce is used once.
    return await send(await toSignedRequest(c, signal)).catch((again: unknown) => Promise.reject(toForwardFault(again)));
  } finally {
    headArrived();
  }
}

function mayRetry(c: Context<EdgeEnv>, signal: AbortSignal): boolean {
  const leftMs = c.get('deadlineAt') - Date.now();
  return isSafe(c.get('route').operation) && !signal.aborted && leftMs >= edgeLimits.retryMsMin && c.get('context').retries.spend();
}

async function send({ request, nonce }: SignedRequest): Promise<{ answer: Response; nonce: string }> {
  return { answer: await fetch(request), nonce };
}

/** A 401 about the hop is between edge and origin: keys or clocks differ. The caller has done nothing wrong. */
async function mustBelieveUs(answer: Response): Promise<void> {
  if (answer.status !== 401 || answer.headers.has('www-authenticate')) return;
  const problem = (await answer.json().catch(() => ({}))) as { code?: unknown };
  throw originUnavailable({ facts: { originCode: typeof problem.code === 'string' ? problem.code.slice(0, 40) : 'none' } });
}

/** Between us and the origin alone, or of one connection (RFC 9110 §7.6.1). */
const withheld = [readHeader, 'signature', 'signature-input', 'connection', 'keep-alive', 'proxy-authenticate', 'te', 'trailer', 'transfer-encoding', 'upgrade'];

function passOn(c: Context<EdgeEnv>, answer: Response): Response {
  const headers = new Headers(answer.headers);
  for (const name of withheld) headers.delete(name);
  const position = headers.get(positionHeader);
  // Only browsers send Sec-Fetch-*; they get the position where they cannot forget it (SEMANTICS: own writes).
  if (position !== null && c.get('sent').has('sec-fetch-site')) headers.append('set-cookie', positionCookie(position));
  return new Response(answer.body, { status: answer.status, headers });
}

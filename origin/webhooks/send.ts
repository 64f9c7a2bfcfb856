/** One attempt at a delivery: signed by Standard Webhooks (https://www.standardwebhooks.com), to an address that is looked at. */
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import type { StoredWebhook } from '../../shared/webhooks/resource.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import { askOutside, type Came, OutgoingFailure } from '../outgoing/outgoing.ts';
import type { Settings } from '../settings.ts';
import type { Ended } from './delivery-writes.ts';
import { openSecret, toSignature } from './secrets.ts';
import { isAllowedBy, whyNoTarget } from './target.ts';

export interface Sending {
  readonly id: string;
  readonly webhookId: string;
  readonly webhook: StoredWebhook;
  readonly body: string;
  readonly settings: Pick<Settings, 'keys' | 'webhooksLoopback'>;
  readonly nowMs: number;
  /** The time of an attempt; the origin's own unless said. */
  readonly attemptMs: number;
  /** What its receiver does is a part of this trace (W3C Trace Context §3.2). */
  readonly traceparent: string | undefined;
  readonly signal: AbortSignal;
}

export interface Sent {
  readonly isTaken: boolean;
  /** 410: the receiver wants nothing more. */
  readonly isGone: boolean;
  readonly ended: Ended;
  /** What the receiver asks for by `Retry-After`. */
  readonly pauseMs: number;
}

/** Throws where the origin stops, or its keys open no secret; what the other side does is told. */
export async function send(sending: Sending): Promise<Sent> {
  const { webhook, settings, attemptMs, nowMs, signal } = sending;
  const refusal = whyNoTarget(webhook.url, settings);
  if (refusal !== undefined) return toFailure(`the URL ${refusal}`);
  const late = AbortSignal.timeout(attemptMs);
  const begunAtMs = performance.now();
  const latencyMs = () => Math.round(performance.now() - begunAtMs);
  const headers = toHeaders(sending);
  try {
    const asking = {
      method: 'POST', headers, body: sending.body, signal: AbortSignal.any([late, signal]), bytesMax: webhookLimits.answerBytesMax,
      isRaw: true,
    } as const;
    const came = await askOutside(new URL(webhook.url), asking, { isAllowed: isAllowedBy(settings) });
    return toSent(came, latencyMs(), nowMs);
  } catch (cause) {
    signal.throwIfAborted();
    if (late.aborted) return toFailure(`did not answer within ${attemptMs} ms`, latencyMs());
    if (cause instanceof OutgoingFailure) return toFailure(cause.message, latencyMs());
    throw cause;
  }
}

function toHeaders({ id, webhookId, webhook, body, settings, nowMs, traceparent }: Sending): Readonly<Record<string, string>> {
  const at = Math.floor(nowMs / 1_000);
  return {
    'content-type': 'application/json', 'user-agent': 'Tombolo-Webhooks/1', 'webhook-id': id, 'webhook-timestamp': String(at),
    'webhook-signature': toSignature({ id, at, body }, secretsOf(webhook, webhookId, settings.keys, nowMs)),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}

/** The secret, and the one before while that signs too. */
function secretsOf(
  { secret, previousSecret, previousUntil = '' }: StoredWebhook, id: string, keys: readonly HopKey[], nowMs: number,
): readonly Uint8Array[] {
  const isOverlapping = previousSecret !== undefined && Date.parse(previousUntil) > nowMs;
  return [secret, ...(isOverlapping ? [previousSecret] : [])].map((sealed) => openSecret(sealed, id, keys));
}

function toSent({ status, headers, text }: Came, latencyMs: number, nowMs: number): Sent {
  const isTaken = status >= 200 && status < 300;
  const answer = redacted(text);
  const error = isTaken ? undefined : `answered ${status}${status >= 300 && status < 400 ? ', and no redirect is followed' : ''}`;
  const ended = { status, latencyMs, ...(answer === '' ? {} : { answer }), ...(error === undefined ? {} : { error }) };
  return { isTaken, isGone: status === 410, ended, pauseMs: retryAfterMs(headers.get('retry-after'), nowMs) };
}

function toFailure(error: string, latencyMs?: number): Sent {
  return { isTaken: false, isGone: false, ended: { error, ...(latencyMs === undefined ? {} : { latencyMs }) }, pauseMs: 0 };
}

/** Seconds or a date (RFC 9110 §10.2.3); 0 where it says neither. */
function retryAfterMs(header: string | null, nowMs: number): number {
  if (header === null) return 0;
  const ms = /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - nowMs;
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), webhookLimits.retryAfterMsMax) : 0;
}

/** The head of an answer, without control characters and without what looks like a secret or a signature. */
function redacted(text: string): string {
  return text
    .slice(0, webhookLimits.answerCharactersMax * 2)
    .replace(/(?:whsec_|v1,|tbk_|Bearer\s+)[A-Za-z0-9+/=_.-]{8,}/g, '[redacted]')
    .replace(/[\s\p{Cc}\p{Cf}\uFFFD]+/gu, ' ')
    .trim()
    .slice(0, webhookLimits.answerCharactersMax)
    .toWellFormed();
}

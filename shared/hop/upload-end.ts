/**
 * The end of an upload, said in the hop's own bytes behind the last of the client's. A stream that ends proves
 * nothing: workerd closes a body made by JavaScript in good order also when it failed half way, and so may a proxy
 * on the way. What an upload must not be taken for whole without:
 *
 *   …last byte of the upload ‖ nonce of the request (22) . bytes before this (12 digits) . how it ended (16)
 *
 * The nonce is made by the edge for this one request, so nothing that a client sends can look like an end. How it
 * ended: `whole`, or the reason for which the rest is missing.
 */
import type { FaultReason } from '../wire/fault.ts';

const ends = ['whole', 'body_malformed', 'body_too_large'] as const satisfies readonly ('whole' | FaultReason)[];
export type UploadEnd = (typeof ends)[number];

/** Every end has this length; it is ASCII. */
export const uploadEndBytes = 52;

/** Stands in `tombolo-upload` where the client declared no length. */
export const lengthUnknown = 'unknown';

export function formatUploadEnd(nonce: string, bytes: number, end: UploadEnd): string {
  return `${nonce}.${String(bytes).padStart(12, '0')}.${end.padEnd(16)}`;
}

/** `undefined`: these are no end, or not that of so many bytes of this request. */
export function parseUploadEnd(text: string, nonce: string, bytes: number): UploadEnd | undefined {
  return ends.find((end) => text === formatUploadEnd(nonce, bytes, end));
}

/** What both sides say of a request in the log and in its trace: which of those answered well have a line, and who asked. */
import type { Principal } from './principal.ts';

/**
 * Whether the line of a request that was answered well is written, of which one in `oneIn` is; 0: none. It is decided by the
 * request's id, whose last digits are random, so that edge and origin tell of the same ones.
 */
export function isChosen(requestId: string, oneIn: number): boolean {
  return oneIn > 0 && (oneIn === 1 || Number.parseInt(requestId.slice(-8), 16) % oneIn === 0);
}

/** What the keyed hash of whoever asks is made of. No signature of the hop is of a text that begins so. */
export function hashedOf({ subject }: Principal): string | undefined {
  return subject === undefined ? undefined : `tombolo-log ${subject}`;
}

/** Of a MAC of 32 bytes, as many as stand in a line: enough to tell callers apart. */
export const principalBytes = 9;

/** Names that are declared, so that a receiver of spans can list them all. */
export function toSpanName(operation = 'request', resource?: string): string {
  return resource === undefined ? operation : `${operation} ${resource}`;
}

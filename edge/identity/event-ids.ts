/** Ids of events as the origin signs them (`origin/tokens.ts`), and those that the edge gives in its place. */
import { type EventId, formatEventId, parseEventId } from '../../shared/wire/event-id.ts';
import { positionPurpose } from '../../shared/wire/position.ts';
import { isTruncatedMac, signTruncated } from './truncated-macs.ts';
import type { Macs } from '../origin-client/macs.ts';

export function verifyEventId(token: string, macs: Macs): EventId | undefined {
  const end = token.lastIndexOf('.');
  const id = parseEventId(token.slice(0, Math.max(end, 0)));
  if (id === undefined) return undefined;
  return isTruncatedMac(macs, `${positionPurpose} ${formatEventId(id)}`, token.slice(end + 1)) ? id : undefined;
}

export function signStart(stream: string, macs: Macs): string {
  const text = formatEventId({ position: undefined, stream });
  return `${text}.${signTruncated(macs, `${positionPurpose} ${text}`)}`;
}

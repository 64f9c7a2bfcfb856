/**
 * `Tombolo-Position`: the state that a caller has seen and must not be answered from before (SEMANTICS §1). By header,
 * or in browsers by the cookie that the answer to a write has set.
 */
import { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import { edgeLimits } from '../limits.ts';
import type { SentHeaders } from './request-headers.ts';
import type { Macs } from '../origin-client/macs.ts';
import { verifyEventId } from '../identity/event-ids.ts';

export const positionHeader = 'tombolo-position';

export interface DemandedToken {
  readonly token: string;
  readonly by: 'header' | 'cookie';
}

export function demandedToken(sent: SentHeaders): DemandedToken | undefined {
  const header = sent.get(positionHeader);
  if (header !== null) return { token: header, by: 'header' };
  const token = cookieOf(sent.get('cookie'));
  return token === undefined ? undefined : { token, by: 'cookie' };
}

export function mustDemandedPosition({ token, by }: DemandedToken, macs: Macs): Position {
  const position = verifyEventId(token, macs)?.position;
  if (position !== undefined) return position;
  throw new Fault('header_invalid', {
    detail: 'Tombolo-Position is not one that this API gave out',
    errors: [{ at: 'Tombolo-Position', in: 'header', detail: 'send back what a write or an event carried, or nothing' }],
    // A bad cookie would refuse every request until it ends: take it back.
    headers: by === 'cookie' ? { 'set-cookie': positionCookie('', 0) } : {},
  });
}

function cookieOf(header: string | null): string | undefined {
  return header === null ? undefined : /(?:^|;\s*)tombolo-position=([^;\s]*)/.exec(header)?.[1];
}

export function positionCookie(token: string, seconds: number = edgeLimits.positionCookieSeconds): string {
  return `${positionHeader}=${token}; Path=/; Max-Age=${seconds}; HttpOnly; Secure; SameSite=Lax`;
}

/** Where a webhook may lead: HTTPS to a public address; in development, where it is allowed, to this machine too. */
import { isIP } from 'node:net';
import type { Settings } from '../settings.ts';
import { isLoopback, isPublic } from '../outgoing/addresses.ts';

type Allowing = Pick<Settings, 'webhooksLoopback'>;

/** What `askOutside` lets through. */
export function isAllowedBy({ webhooksLoopback }: Allowing): (address: string) => boolean {
  return (address) => isPublic(address) || (webhooksLoopback && isLoopback(address));
}

/** Why nothing is sent there; `undefined`: its name and its addresses are looked at with each attempt. */
export function whyNoTarget(text: string, allowing: Allowing): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL';
  const { protocol, username, password, hostname, hash } = new URL(text);
  if (username !== '' || password !== '' || hash !== '') return 'must be without a user, a password and a fragment';
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || isLoopback(host);
  if (protocol !== 'https:' && !(protocol === 'http:' && allowing.webhooksLoopback && isHere)) return 'must be an https URL';
  const isRefused = (isIP(host) !== 0 && !isAllowedBy(allowing)(host)) || (isHere && !allowing.webhooksLoopback);
  return isRefused ? 'must lead to a public address' : undefined;
}

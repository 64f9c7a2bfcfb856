/** Which addresses may be connected to from here. */
import ipaddr from 'ipaddr.js';

/**
 * Whether no registry sets the address aside (RFC 6890). Of IPv6 it is global unicast alone (RFC 4291 §2.5.4), and none in which
 * another address is written: mapped, NAT64 (RFC 6052), 6to4 (RFC 3056), Teredo (RFC 4380).
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  const isGlobal = parsed.kind() === 'ipv4' || globalUnicast.some((bits) => parsed.match(bits));
  return isGlobal && parsed.range() === 'unicast';
}

const globalUnicast = [ipaddr.parseCIDR('2000::/3')];

/** Addresses of this machine itself. */
export function isLoopback(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

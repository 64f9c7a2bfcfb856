/**
 * The address that a request came from: the socket's; or, where that is one of the proxies that a setting names, the last
 * one in `X-Forwarded-For` that is no such proxy. What stands before it in the field was written by whoever sent it.
 */
import { type BlockList, isIP } from 'node:net';

export function senderOf(socket: string | undefined, forwarded: string | null, proxies: BlockList): string | undefined {
  if (socket === undefined || !isOf(proxies, socket)) return socket;
  const hops = (forwarded ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
  let sender = socket;
  for (let hop = hops.pop(); hop !== undefined && isOf(proxies, sender); hop = hops.pop()) {
    const address = addressIn(hop);
    // A proxy that tells no address (`unknown`, RFC 7239 §6.2) stands for whom it hides.
    if (address === undefined) return sender;
    sender = address;
  }
  return sender;
}

/** However it is spelt (RFC 4291 §2.2), an IPv4 address of a socket of both families (§2.5.5.2) among others. */
function isOf(proxies: BlockList, address: string): boolean {
  return proxies.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** An address as proxies write it: some add the port, and then IPv6 has brackets. */
function addressIn(hop: string): string | undefined {
  const address = /^\[([^\]%]+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^([\d.]+):\d+$/.exec(hop)?.[1] ?? hop;
  return isIP(address) === 0 || address.includes('%') ? undefined : address.replace(/^::ffff:(?=\d+\.)/i, '');
}

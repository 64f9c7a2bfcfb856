/**
 * The address that a request came from: the socket's; or, where that is one of the proxies that a setting names, the last
 * one in `X-Forwarded-For` that is no such proxy. What stands before it in the field was written by whoever sent it.
 */
export function senderOf(socket: string | undefined, forwarded: string | null, proxies: ReadonlySet<string>): string | undefined {
  if (socket === undefined || !proxies.has(plain(socket))) return socket;
  const hops = (forwarded ?? '').split(',').map((part) => plain(part.trim())).filter((part) => part !== '');
  return hops.findLast((hop) => !proxies.has(hop)) ?? socket;
}

/** An IPv4 address as a socket of both families tells it (RFC 4291 §2.5.5.2), without the prefix. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

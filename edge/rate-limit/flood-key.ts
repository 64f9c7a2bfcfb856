/**
 * One key for all addresses of one customer of a network: an IPv4 address, or an IPv6 /64 (RFC 6177 §2),
 * within which anyone may take a new address for every request.
 */
export function floodKey(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? `${toGroups(address).slice(0, 4).join(':')}::/64`;
}

/** The eight groups of RFC 4291 §2.2, `::` written out. */
function toGroups(address: string): readonly string[] {
  const [head = '', tail] = address.toLowerCase().split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);
  return [...left, ...new Array<string>(zeros).fill('0'), ...right].map((group) => group.replace(/^0+(?=.)/, ''));
}

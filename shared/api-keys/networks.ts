/** Addresses and networks of the Internet (RFC 4632, RFC 4291 §2.3), compared by bits; IPv4 is its mapped IPv6 (§2.5.5.2). */

/** Eight groups of 16 bits. */
type Address = readonly number[];

interface Network {
  readonly address: Address;
  readonly bits: number;
}

export function parseAddress(text: string): Address | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text);
}

/** An address alone is the network of it. */
export function parseNetwork(text: string): Network | undefined {
  const [host = '', length, ...more] = text.split('/');
  const address = parseAddress(host);
  if (address === undefined || more.length > 0) return undefined;
  const width = host.includes(':') ? 128 : 32;
  if (length === undefined) return { address, bits: 128 };
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > width) return undefined;
  return { address, bits: Number(length) + 128 - width };
}

export function isInNetwork(address: Address, network: Network): boolean {
  return address.every((group, index) => {
    const bits = Math.max(0, Math.min(16, network.bits - index * 16));
    return group >> (16 - bits) === (network.address[index] ?? 0) >> (16 - bits);
  });
}

function parseV4(text: string): Address | undefined {
  const bytes = toBytes(text);
  return bytes && [0, 0, 0, 0, 0, 0xffff, ...bytes];
}

/** The last two groups. A zero before another digit might be meant as octal. */
function toBytes(text: string): readonly [number, number] | undefined {
  const found = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1);
  if (found === undefined || found.some((part) => (part.length > 1 && part.startsWith('0')) || Number(part) > 255)) return undefined;
  const [a = 0, b = 0, c = 0, d = 0] = found.map(Number);
  return [a * 256 + b, c * 256 + d];
}

function parseV6(text: string): Address | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => toGroups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? head : undefined;
  const zeros = 8 - head.length - (tail?.length ?? 0);
  return zeros < 1 ? undefined : [...head, ...new Array<number>(zeros).fill(0), ...(tail ?? [])];
}

/** An IPv4 address may stand at the end of the whole. */
function toGroups(half: string, isLast: boolean): Address | undefined {
  if (half === '') return [];
  const parts = half.split(':');
  const groups = parts.map((part, index) => {
    if (isLast && index === parts.length - 1 && part.includes('.')) return toBytes(part);
    return /^[0-9a-f]{1,4}$/i.test(part) ? [Number.parseInt(part, 16)] : undefined;
  });
  return groups.every((group) => group !== undefined) ? groups.flat() : undefined;
}

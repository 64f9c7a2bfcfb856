/**
 * The way out of a handler: HTTPS to the hosts that its endpoint or hook declares, and to nowhere else. A name is resolved once,
 * every address that it has must be a public one, and the connection goes to the address that was looked at, so that a name
 * cannot lead inside by changing its mind. No redirect is followed, and an answer past the bound is not read.
 */
import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';

export interface FetchGuard {
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
  /** What tests bring of their own: the addresses of names, which of them are let through, their port, and who signed for them. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly isAllowed?: (address: string) => boolean;
  readonly port?: number;
  readonly ca?: string;
}

export interface Fetched {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

export interface Fetching {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

type GuardedFetch = (url: string, fetching?: Fetching) => Promise<Fetched>;

/** Throws an Error for what the declaration does not allow, and `upstream_failed` for what the other side does. */
export function guardedFetch(guard: FetchGuard): GuardedFetch {
  return async (url, { method = 'GET', headers = {}, body } = {}) => {
    const target = mustTarget(url, guard.hosts);
    const address = await mustAddress(target.hostname, guard);
    const answer = await connect({ target, address, guard }, { method, headers, ...(body === undefined ? {} : { body }) });
    if (answer.status >= 300 && answer.status < 400) throw failed(target, 'answers with a redirect, which is not followed');
    return { status: answer.status, headers: answer.headers, text: await mustText(answer, target) };
  };
}

function mustTarget(url: string, hosts: readonly string[]): URL {
  const target = new URL(url);
  const isPlain = target.protocol === 'https:' && target.port === '' && target.username === '' && target.password === '';
  if (!isPlain) throw new Error(`fetch of ${target.origin}: https alone, on its own port and without a user`);
  if (!hosts.includes(target.hostname)) throw new Error(`fetch of ${target.hostname}: it is not declared in "fetches"`);
  return target;
}

/** A name with one private address is not asked at all: which one is connected to would be a matter of chance. */
async function mustAddress(host: string, { resolve = resolveAll, isAllowed = isPublic, signal }: FetchGuard): Promise<string> {
  signal.throwIfAborted();
  const addresses = await Promise.race([resolve(host), untilAborted(signal)]).catch((cause: unknown) => {
    throw failed({ hostname: host }, 'has no address', cause);
  });
  const [first] = addresses;
  if (first === undefined || !addresses.every(isAllowed)) throw failed({ hostname: host }, 'has an address that is not public');
  return first;
}

/** Rejects when the call's time is over; a resolver knows of no signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

interface Connecting {
  readonly target: URL;
  readonly address: string;
  readonly guard: FetchGuard;
}

/** Connects to the address; the certificate must be the name's. */
async function connect({ target, address, guard }: Connecting, init: RequestInit & Fetching): Promise<Response> {
  const { signal, port = 443, ca } = guard;
  const url = new URL(target);
  url.host = `${isIP(address) === 6 ? `[${address}]` : address}:${port}`;
  // However a handler writes it, it names no other host to whoever stands behind the address.
  const headers = new Headers({ ...init.headers });
  headers.set('host', target.host);
  const tls = { serverName: target.hostname, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  return fetch(url, { ...init, headers, signal, redirect: 'manual', tls }).catch((cause: unknown) => {
    throw failed(target, 'does not answer', cause);
  });
}

async function mustText({ body }: Response, target: URL): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body ?? []) {
      size += piece.byteLength;
      if (size > limits.fetchedBytesMax) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw failed(target, 'breaks its answer off', cause);
  }
  if (size > limits.fetchedBytesMax) throw failed(target, `answers with more than ${limits.fetchedBytesMax} bytes`);
  return Buffer.concat(pieces).toString('utf8');
}

function failed({ hostname }: Pick<URL, 'hostname'>, what: string, cause?: unknown): Fault {
  return new Fault('upstream_failed', { cause: new Error(`${hostname} ${what}`, { cause }), facts: { host: hostname } });
}

/**
 * Exported for tests. Of IPv4, whatever no registry sets aside (RFC 6890); of IPv6, global unicast without what holds another
 * address.
 */
export function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !reserved.check(address, 'ipv4');
  return isIP(address) === 6 && unicast.check(address, 'ipv6') && !reserved.check(address, 'ipv6');
}

const unicast = toBlockList(['2000::/3'], 'ipv6');
const reserved = toBlockList([
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
], 'ipv4');
for (const subnet of ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']) add(reserved, subnet, 'ipv6');

function toBlockList(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) add(list, subnet, family);
  return list;
}

function add(list: BlockList, subnet: string, family: 'ipv4' | 'ipv6'): void {
  const [network = '', bits] = subnet.split('/');
  list.addSubnet(network, Number(bits), family);
}

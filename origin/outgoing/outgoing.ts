/**
 * The way out of the origin, for whatever calls somebody else's server. A name is resolved once, every address that it has must
 * be allowed, and the connection goes to the address that was looked at, so that a name cannot lead inside by changing its
 * mind; the certificate must be the name's. No redirect is followed, no proxy of the environment is asked, and of an answer
 * no more is read than is wanted.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublic } from './addresses.ts';

/** What tests bring of their own, and development: the addresses of names, which of them are let through, who signed for them. */
export interface Way {
  readonly resolve?: (host: string) => Promise<readonly string[]>;
  readonly isAllowed?: (address: string) => boolean;
  readonly ca?: string;
  /** In place of the one that the URL names. */
  readonly port?: number;
}

export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Ends the call, also while a name is resolved. */
  readonly signal: AbortSignal;
  /** Bytes of the answer that are read; the rest is left where it is. */
  readonly bytesMax: number;
  /** Whether `bytesMax` is of the bytes on the wire, and they are given as they came. */
  readonly isRaw?: true;
}

export interface Came {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Whether there was more of it. */
  readonly isCut: boolean;
}

/** What the other side did, or its name; `message` is about the host. */
export class OutgoingFailure extends Error {}

/** Throws an `OutgoingFailure`. The caller has judged the URL: its scheme, port and host. */
export async function askOutside(target: URL, asking: Outgoing, way: Way = {}): Promise<Came> {
  const address = await mustAddress(target.hostname, asking.signal, way);
  const answer = await connect(target, address, asking, way);
  return { status: answer.status, headers: answer.headers, ...(await read(answer, target, asking.bytesMax)) };
}

/** A name with one private address is not asked at all: which one is connected to would be a matter of chance. */
async function mustAddress(hostname: string, signal: AbortSignal, { resolve = resolveAll, isAllowed = isPublic }: Way): Promise<string> {
  signal.throwIfAborted();
  const addresses = await Promise.race([resolve(bare(hostname)), untilAborted(signal)]).catch((cause: unknown) => {
    throw new OutgoingFailure(`${hostname} has no address`, { cause });
  });
  const [first] = addresses;
  if (first === undefined || !addresses.every(isAllowed)) throw new OutgoingFailure(`${hostname} has an address that is not public`);
  return first;
}

/** Rejects when the call's time is over; a resolver knows of no signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** An IPv6 address stands in brackets in a URL (RFC 3986 §3.2.2). */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '');
}

/** Connects to the address; the certificate must be the name's. */
async function connect(target: URL, address: string, asking: Outgoing, { port, ca }: Way): Promise<Response> {
  const url = new URL(target);
  url.hostname = isIP(address) === 6 ? `[${address}]` : address;
  if (port !== undefined) url.port = String(port);
  // However a caller writes it, it names no other host to whoever stands behind the address.
  const headers = new Headers({ ...asking.headers });
  headers.set('host', target.host);
  // RFC 6066 §3: the name of a server is no address.
  const named = isIP(bare(target.hostname)) === 0 ? { serverName: target.hostname } : {};
  const tls = { ...named, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) };
  const { method, body, signal, isRaw } = asking;
  const outside: BunFetchRequestInit = {
    method, headers, signal, tls, redirect: 'manual', keepalive: false, ...(body === undefined ? {} : { body }),
    ...(isRaw === true ? { decompress: false } : {}), ...withoutProxy,
  };
  return fetch(url, outside).catch((cause: unknown) => {
    throw new OutgoingFailure(`${target.hostname} does not answer`, { cause });
  });
}

/** Bun takes `false`, and then obeys no HTTPS_PROXY of the environment; its types do not know. */
const withoutProxy = { proxy: false } as unknown as Pick<BunFetchRequestInit, 'proxy'>;

async function read({ body }: Response, { hostname }: URL, bytesMax: number): Promise<Pick<Came, 'text' | 'isCut'>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of body ?? []) {
      size += piece.byteLength;
      pieces.push(piece);
      if (size > bytesMax) break;
    }
  } catch (cause) {
    throw new OutgoingFailure(`${hostname} breaks its answer off`, { cause });
  }
  return { text: Buffer.concat(pieces).subarray(0, bytesMax).toString('utf8'), isCut: size > bytesMax };
}

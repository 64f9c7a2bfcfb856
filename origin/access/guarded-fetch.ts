/**
 * The way out of a handler (`outgoing/outgoing.ts`): HTTPS to the hosts that its endpoint or hook declares, and to nowhere else.
 * An answer past the bound is refused.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import { askOutside, OutgoingFailure, type Way } from '../outgoing/outgoing.ts';

export interface FetchGuard extends Way {
  readonly hosts: readonly string[];
  readonly signal: AbortSignal;
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
export function guardedFetch({ hosts, signal, ...way }: FetchGuard): GuardedFetch {
  return async (url, { method = 'GET', headers = {}, body } = {}) => {
    const target = mustTarget(url, hosts);
    const asking = { method, headers, signal, bytesMax: limits.fetchedBytesMax, ...(body === undefined ? {} : { body }) };
    const { isCut, ...came } = await askOutside(target, asking, way).catch((cause: unknown) => {
      throw cause instanceof OutgoingFailure ? failed(target, cause) : cause;
    });
    const { hostname } = target;
    if (came.status >= 300 && came.status < 400) {
      throw failed(target, new Error(`${hostname} answers with a redirect, which is not followed`));
    }
    if (isCut) throw failed(target, new Error(`${hostname} answers with more than ${limits.fetchedBytesMax} bytes`));
    return came;
  };
}

function mustTarget(url: string, hosts: readonly string[]): URL {
  const target = new URL(url);
  const isPlain = target.protocol === 'https:' && target.port === '' && target.username === '' && target.password === '';
  if (!isPlain) throw new Error(`fetch of ${target.origin}: https alone, on its own port and without a user`);
  if (!hosts.includes(target.hostname)) throw new Error(`fetch of ${target.hostname}: it is not declared in "fetches"`);
  return target;
}

function failed({ hostname }: Pick<URL, 'hostname'>, cause: Error): Fault {
  return new Fault('upstream_failed', { cause, facts: { host: hostname } });
}

/** How a client comes in: through the edge with a token, or straight to an origin by a signed hop, as the edge would ask. */
import { principalHeader, signHop } from '../../support/signed-hop.ts';
import type { World } from '../../support/whole-world.ts';
import { mustPosition } from './position-token.ts';

export interface Sent {
  readonly subject: string | undefined;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** A `Tombolo-Position`. */
  readonly demanded?: string | undefined;
}

export interface Sending {
  /** The process that answers, where the door knows it. */
  readonly through?: string;
  readonly response: Promise<Response>;
}

export interface Door {
  readonly name: string;
  send(path: string, sent: Sent, signal?: AbortSignal): Sending;
}

export function edgeDoor({ edge }: { readonly edge: Pick<World['edge'], 'url'> }, tokens: ReadonlyMap<string | undefined, string>): Door {
  return {
    name: 'through the edge',
    send(path, { subject, method = 'GET', headers = {}, body, demanded }, signal) {
      const token = tokens.get(subject);
      const all = {
        ...headers,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(demanded === undefined ? {} : { 'tombolo-position': demanded }),
      };
      return {
        response: fetch(`${edge.url}${path}`, { method, headers: all, body: body ?? null, ...(signal === undefined ? {} : { signal }) }),
      };
    },
  };
}

export interface HopAddress {
  readonly url: string;
  /** The key ring in the form of `TOMBOLO_KEYS`. */
  readonly keys: string;
  /** What is left of the request's time; the origin's own maximum unless said. */
  readonly deadlineMs?: number;
}

/** Everybody is an editor, as the tokens at the edge have it. */
export function sendHop(
  { url, keys, deadlineMs }: HopAddress,
  path: string,
  { subject, method = 'GET', headers = {}, body, demanded }: Sent,
  signal?: AbortSignal,
): Promise<Response> {
  const hop = signHop(keys, { url: `${url}${path}`, method, ...(body === undefined ? {} : { body }), headers: {
    ...headers,
    ...(subject === undefined ? {} : { 'tombolo-principal': principalHeader(subject, ['editor']) }),
    ...(demanded === undefined ? {} : { 'tombolo-after': toPositionText(demanded) }),
    ...(deadlineMs === undefined ? {} : { 'tombolo-deadline': String(deadlineMs) }),
  } });
  return fetch(hop.url, { ...hop.init, ...(signal === undefined ? {} : { signal }) });
}

/** The edge believes the token by its MAC, and passes on what it says. */
function toPositionText(token: string): string {
  const { epoch, order } = mustPosition(token);
  return `${epoch}.${order}`;
}

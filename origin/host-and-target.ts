/** Which host a request names, and what of it it asks for, as it was sent. */
import { isHost } from '../shared/wire/host.ts';

/** The whole path with its query: all that Bun gives where no host is named. */
export function targetOf({ url }: Request): string {
  return url.startsWith('/') ? url : url.slice(url.indexOf('/', 'https://'.length));
}

type Fetch = (request: Request, server: Bun.Server<undefined>) => Response | Promise<Response>;

/** A door at which 400 is all the answer to a `Host` that can be none (RFC 9112 §3.2). */
export function hosted(fetch: Fetch): Fetch {
  return (request, server) => (isHost(request.headers.get('host')) ? fetch(request, server) : new Response(null, { status: 400 }));
}

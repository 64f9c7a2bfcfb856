/** What a request asks for: path and query, percent-encoded, in the normal form of https://url.spec.whatwg.org/. */
export interface Target {
  readonly path: string;
  /** The query with its question mark, or empty. */
  readonly query: string;
}

/** A path in which a URL parser changes and resolves nothing. */
const plainPath = /^(?:\/[A-Za-z0-9_~-]+)+$/;

/**
 * Most targets are in normal form already; telling that costs a tenth of parsing a URL (0.6 µs of 6). Where no host is named Bun
 * gives the target alone, and one that is named need be none that a URL can have.
 */
export function toTarget(url: string): Target {
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3);
  const mark = url.indexOf('?', start);
  const path = url.slice(start, mark < 0 ? undefined : mark);
  const query = mark < 0 ? '' : url.slice(mark);
  if (plainPath.test(path) && !/[#\s]/.test(query)) return { path, query: query === '?' ? '' : query };
  const { pathname, search } = new URL(`http://host.invalid${url.slice(start)}`);
  return { path: pathname, query: search };
}

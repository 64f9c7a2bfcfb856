/** Key sets in the colo's Cache API: a new isolate need not ask the issuer. Public keys, so nothing secret. */
import { edgeLimits } from '../limits.ts';
import type { Fetched } from '../identity/key-set.ts';

export async function loadKeys(url: string): Promise<Fetched | undefined> {
  const found = await caches.default.match(toKey(url));
  const fetchedAt = Number(found?.headers.get('tombolo-fetched-at') ?? Number.NaN);
  if (found === undefined || !(Date.now() - fetchedAt <= edgeLimits.keysStaleMsMax)) return undefined;
  return { text: await found.text(), fetchedAt };
}

export async function storeKeys(url: string, { text, fetchedAt }: Fetched): Promise<void> {
  const headers = {
    'cache-control': `public, max-age=${edgeLimits.keysStaleMsMax / 1_000}`,
    'content-type': 'application/json',
    'tombolo-fetched-at': String(fetchedAt),
  };
  await caches.default.put(toKey(url), new Response(text, { headers }));
}

/** A name that no client can ask for: the Worker runs ahead of the cache on its own hosts alone. */
function toKey(url: string): string {
  return `https://keys.tombolo.invalid/${encodeURIComponent(url)}`;
}

/**
 * Stored answers in the colo's Cache API, behind the isolate's memory. It keeps bytes and nothing more: age,
 * variants and freshness are decided by what lies beside the bytes, never by it.
 */
import { parsePosition, formatPosition } from '../../shared/wire/position.ts';
import { log, toLogged } from '../log.ts';
import type { Entry } from '../cache/entry.ts';

const entryHeader = 'tombolo-entry';
/** An entry that nobody asks for in a day is not worth its place. */
const keptSeconds = 86_400;

type Kept = Omit<Entry, 'body' | 'position' | 'rightAt'> & { readonly position: string };

/** If the Cache API throws, this is a cache miss. */
export async function loadEntry(key: string): Promise<Entry | undefined> {
  try {
    const found = await caches.default.match(toUrl(key));
    const text = found?.headers.get(entryHeader);
    if (found === undefined || text === undefined || text === null) return undefined;
    const { position: at, ...kept } = JSON.parse(text) as Kept;
    const position = parsePosition(at);
    return position === undefined
      ? undefined
      : { ...kept, position, rightAt: kept.validatedAt, body: new Uint8Array(await found.arrayBuffer()) };
  } catch (cause) {
    log('warn', 'cache.not_loaded', { cause: toLogged(cause) });
    return undefined;
  }
}

export async function storeEntry(key: string, entry: Entry): Promise<void> {
  const { body, position, rightAt: _here, ...rest } = entry;
  const kept: Kept = { ...rest, position: formatPosition(position) };
  try {
    const headers = {
      'cache-control': `public, max-age=${keptSeconds}`,
      'content-type': 'application/octet-stream',
      [entryHeader]: JSON.stringify(kept),
    };
    await caches.default.put(toUrl(key), new Response(body, { headers }));
  } catch (cause) {
    log('warn', 'cache.not_stored', { cause: toLogged(cause) });
  }
}

/** An address on a host that is nobody's: no client can ask for it. */
function toUrl(key: string): string {
  return `https://answers.tombolo.invalid/${encodeURIComponent(key)}`;
}

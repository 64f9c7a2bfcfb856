/** The binding of `[assets]` on this machine: Miniflare's own would put two Workers before every request. */
import { docsScriptPath } from '../../shared/openapi/docs-paths.ts';
import { scalarFile } from './edge-assets.ts';

let script: { readonly text: string; readonly etag: string } | undefined;

export function localAssets(request: { readonly url: string; readonly headers: { get(name: string): string | null } }): Response {
  if (new URL(request.url).pathname !== docsScriptPath) return new Response(null, { status: 404 });
  script ??= toScript(scalarFile());
  const headers = { etag: script.etag, 'content-type': 'text/javascript; charset=utf-8' };
  return request.headers.get('if-none-match') === script.etag
    ? new Response(null, { status: 304, headers })
    : new Response(script.text, { headers });
}

function toScript(text: string): { readonly text: string; readonly etag: string } {
  return { text, etag: `"${Bun.hash(text).toString(36)}"` };
}

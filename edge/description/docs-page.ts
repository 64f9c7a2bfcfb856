/** The page of `/docs`: Scalar over the description of each version, from this host alone. */
import type { Versions } from '../../shared/versions/versions.ts';
import { edgePaths } from '../../shared/wire/edge-paths.ts';
import { digest64 } from '../../shared/wire/hash.ts';

/** Whatever would ask Scalar's own hosts, or lead there, stays off. */
const configuration = {
  withDefaultFonts: false, telemetry: false, showDeveloperTools: 'never', agent: { disabled: true }, mcp: { disabled: true },
};

export interface DocsPage {
  readonly bytes: Uint8Array;
  readonly etag: string;
}

/** The current version is shown first; the others are chosen by name. */
export function toDocsPage({ all, current }: Versions): DocsPage {
  const sources = all.toReversed().map((version) => ({
    title: version.name, slug: version.name, url: `/${version.name}${edgePaths.openapi}`, default: version === current,
  }));
  const text = toText(JSON.stringify({ ...configuration, sources }).replaceAll('"', '&quot;'));
  return { bytes: new TextEncoder().encode(text), etag: `"${digest64(text)}"` };
}

const toText = (settings: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Tombolo</title></head>
<body>
<script id="api-reference" type="application/json" data-configuration="${settings}"></script>
<script src="${edgePaths.docsScript}"></script>
</body>
</html>
`;

/** Scalar writes a style sheet into its page, so styles are free; scripts and requests are this host's alone, and nothing is evaluated. */
export const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

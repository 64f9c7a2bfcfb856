/** The page of `/docs`: Scalar over `/openapi.json`, from this host alone. */
import { docsScriptPath } from '../../shared/openapi/docs-paths.ts';
import { digest64 } from '../../shared/wire/hash.ts';
import { ownPathOf } from '../own-routes.ts';

/** Whatever would ask Scalar's own hosts, or lead there, stays off. */
const configuration = {
  withDefaultFonts: false, telemetry: false, showDeveloperTools: 'never', agent: { disabled: true }, mcp: { disabled: true },
};

export const docsPage = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Tombolo</title></head>
<body>
<script id="api-reference" type="application/json" data-url="${ownPathOf('openapi')}"
  data-configuration="${JSON.stringify(configuration).replaceAll('"', '&quot;')}"></script>
<script src="${docsScriptPath}"></script>
</body>
</html>
`;

export const docsEtag = `"${digest64(docsPage)}"`;

/** Scalar writes a style sheet into its page, so styles are free; scripts and requests are this host's alone, and nothing is evaluated. */
export const docsPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

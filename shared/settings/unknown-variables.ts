/** A misspelt variable changes nothing and nobody notices: those of our prefix that no setting reads are named. */
import type { Variables } from './reader.ts';

const known: ReadonlySet<string> = new Set([
  'TOMBOLO_ANONYMOUS_PLAN', 'TOMBOLO_ANSWERS_BYTES_MAX', 'TOMBOLO_AUDIENCE', 'TOMBOLO_AUDIENCE_CLAIM', 'TOMBOLO_CORS_ORIGINS',
  'TOMBOLO_DATA_DIR', 'TOMBOLO_DISK_BYTES_MIN', 'TOMBOLO_DRAIN_MS', 'TOMBOLO_EDGE_CACHE_BYTES_MAX', 'TOMBOLO_EDGE_HOST',
  'TOMBOLO_EDGE_PORT', 'TOMBOLO_EDGE_URLS', 'TOMBOLO_ENV', 'TOMBOLO_FEED_SILENT_MS', 'TOMBOLO_FLOOD_MAX', 'TOMBOLO_INCOMING_SECRETS',
  'TOMBOLO_INCOMING_SECRETS_FILE', 'TOMBOLO_ISSUER', 'TOMBOLO_JWKS_URL', 'TOMBOLO_KEYS', 'TOMBOLO_KEYS_FILE', 'TOMBOLO_LOG_BYTES_MAX',
  'TOMBOLO_LOG_LEVEL', 'TOMBOLO_LOG_ONE_IN', 'TOMBOLO_MEMO_MS', 'TOMBOLO_METRICS_HOST', 'TOMBOLO_METRICS_PORT', 'TOMBOLO_METRICS_TOKEN',
  'TOMBOLO_METRICS_TOKEN_FILE', 'TOMBOLO_OPENAPI', 'TOMBOLO_ORIGIN_HOST', 'TOMBOLO_ORIGIN_PORT', 'TOMBOLO_ORIGIN_URL',
  'TOMBOLO_OTLP_URL', 'TOMBOLO_PEOPLE', 'TOMBOLO_PEOPLE_OIDC', 'TOMBOLO_PEOPLE_OIDC_FILE', 'TOMBOLO_PEOPLE_SECRET',
  'TOMBOLO_PEOPLE_SECRET_FILE', 'TOMBOLO_PLAN_CLAIM', 'TOMBOLO_PROCESS_BYTES_MAX', 'TOMBOLO_PROXIES', 'TOMBOLO_ROLES_CLAIM',
  'TOMBOLO_SEED', 'TOMBOLO_SMTP_FROM', 'TOMBOLO_SMTP_URL', 'TOMBOLO_SMTP_URL_FILE', 'TOMBOLO_STALE_IF_ERROR_MS', 'TOMBOLO_TENANT_CLAIM',
  'TOMBOLO_TLS_CERTIFICATE', 'TOMBOLO_TLS_KEY', 'TOMBOLO_TRACE_ONE_IN', 'TOMBOLO_WEBHOOKS_LOOPBACK',
]);

/** Letters typed wrong, left out or added, up to which another variable is taken to be meant. */
const typosMax = 3;

/** One line for each, with the setting that was probably meant. */
export function toUnknownVariables(given: Variables): readonly string[] {
  const unknown = Object.keys(given).filter((name) => name.startsWith('TOMBOLO_') && !known.has(name));
  return unknown.sort().map((name) => {
    const [near] = [...known].map((each) => ({ each, typos: distance(name, each) })).sort((a, b) => a.typos - b.typos);
    return `${name}: no setting has this name${near !== undefined && near.typos <= typosMax ? `; did you mean ${near.each}?` : ''}`;
  });
}

/** Levenshtein's distance, one row at a time. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}

/**
 * `npm run settings`: every setting, as the README's table. A new one is a row here; tests hold the table to the README and to the
 * names that are no spelling mistake (`shared/settings/unknown-variables.ts`).
 */
import { secrets } from './given.ts';
import { storeLimits } from './store/limits.ts';
import {
  answersBytesDefault, diskBytesDefault, drainMsMax, edgePortDefault, originPortDefault, processBytesLeast,
} from './settings.ts';

interface SettingRow {
  readonly names: readonly string[];
  /** Which program reads it. */
  readonly where: string;
  /** In Markdown: what it means, and its default. */
  readonly meaning: string;
}

const settingRows: readonly SettingRow[] = [
  row(['TOMBOLO_ENV'], 'both',
    '`development` (default of `npm start`) or `production`, where nothing secret has a default'),
  row(['TOMBOLO_KEYS'], 'both',
    'the hop\'s key ring, `<id>:<base64url of 32 bytes>`, newest first, comma between; development makes one'),
  row(['TOMBOLO_DATA_DIR'], 'origin',
    '`./.tombolo`; files are made 0600'),
  row(['TOMBOLO_ORIGIN_PORT', 'TOMBOLO_ORIGIN_HOST'], 'origin',
    `${originPortDefault}, 127.0.0.1`),
  row(['TOMBOLO_DRAIN_MS'], 'origin',
    '0, and 1000 with `--processes`: for how long an origin that stops still takes what comes, answers with '
      + '`Connection: close` and is not ready; ' + `${drainMsMax} at most`),
  row(['TOMBOLO_PROCESS_BYTES_MAX'], 'origin',
    'unset: with `--processes`, the resident memory past which one is replaced, ' + `${processBytesLeast} at least`),
  row(['TOMBOLO_EDGE_PORT'], 'start, serve, `npm run edge`',
    edgePortDefault),
  row(['TOMBOLO_EDGE_HOST', 'TOMBOLO_EDGE_CACHE_BYTES_MAX'], '`npm run edge`',
    '127.0.0.1; 1073741824: what kept answers may take on disk, past which the cache begins anew'),
  row(['TOMBOLO_PROXIES'], 'serve',
    'addresses or networks (`10.0.0.0/8`) of proxies whose `X-Forwarded-For` is believed, comma between; none'),
  row(['TOMBOLO_FLOOD_MAX'], 'serve',
    '1000: requests of one address in ten seconds, before plans count any'),
  row(['TOMBOLO_TLS_CERTIFICATE', 'TOMBOLO_TLS_KEY'], 'serve',
    'paths of PEM files, both or neither; in production alone'),
  row(['TOMBOLO_EDGE_URLS'], 'origin',
    'the Workers to tell of changes, comma between; required in production, https there'),
  row(['TOMBOLO_ANSWERS_BYTES_MAX'], 'origin',
    answersBytesDefault + ': with SQLite, what kept answers may take in memory; they are shown only while nothing has changed that '
      + 'they depend on; 0 keeps none. Documents of lists take up to 16 MB beside it'),
  row(['TOMBOLO_INCOMING_SECRETS'], 'origin',
    'none: what sources of webhooks sign with, as `payments:whsec_…,github:…`; of several of a source any is taken. In '
      + 'development made at the first start, in `.tombolo/incoming-<source>`'),
  row(['TOMBOLO_LOG_BYTES_MAX'], 'origin',
    storeLimits.logBytesMax + ': what SQLite\'s change log may take; past it the oldest changes go, and a feed that stood before them '
      + 'hears `resync`'),
  row(['TOMBOLO_DISK_BYTES_MIN'], 'origin, serve',
    diskBytesDefault + ': with SQLite, what must be left on its disk for `/ready`; 0 asks for none'),
  row(['TOMBOLO_METRICS_PORT', 'TOMBOLO_METRICS_HOST'], 'origin, serve',
    'unset, and nothing is measured; 127.0.0.1. [What stands there](#seen)'),
  row(['TOMBOLO_METRICS_TOKEN'], 'edge, serve',
    'none, and nothing is counted; a secret of 32 characters or more. [What it opens](#metrics-of-the-edge)'),
  row(['TOMBOLO_WEBHOOKS_LOOPBACK'], 'origin, serve',
    '`1` lets [webhooks](#webhooks) lead to this machine; in development alone'),
  row(['TOMBOLO_LOG_LEVEL'], 'both',
    '`debug info warn error silent`; `info` in production and at the edge, else `warn`; SIGUSR2 changes it [while it '
      + 'runs](#the-log)'),
  row(['TOMBOLO_OTLP_URL', 'TOMBOLO_TRACE_ONE_IN'], 'both, edge',
    'none; 0. [Where spans are sent, and of how many requests](#traces)'),
  row(['TOMBOLO_LOG_ONE_IN'], 'both',
    '100 in production, else 0: of how many requests answered well one has a line; 1: each, 0: none'),
  row(['TOMBOLO_SEED'], 'start',
    '`0` leaves an empty store empty; a MongoDB is given the sample with `1` alone, in collections that Tombolo made'),
  row(['MONGODB_URI'], 'origin',
    'stores in this MongoDB (7.0 or newer) replica set, one member is enough, in the database that its path names '
      + '(`tombolo` without one); empty: SQLite. What the server or its user\'s rights lack is told at start (`readWrite` '
      + 'and `dbAdmin` on the database are enough; `read` is where nothing is to be made). In production a database that is '
      + 'away is waited for, 5 minutes, and `/ready` says so. A standalone serves when each resource is read only, has '
      + '`cache: \'none\'` and is not live'),
  row(['TOMBOLO_PEOPLE'], 'both',
    '`off`, or the public origin of the API, below which people sign up at `/auth`; off in production unless said, and '
      + 'with MongoDB, where development takes `on`'),
  row(['TOMBOLO_PEOPLE_SECRET'], 'origin',
    '32 or more random characters that sign sessions and encipher the keys of tokens; development makes one'),
  row(['TOMBOLO_PEOPLE_OIDC'], 'origin',
    'none: [other issuers](#people) whose accounts people sign in with, as JSON, 20 at most; `scopes` is '
      + '`["openid","email","profile"]` unless said, and a public client has no `clientSecret`'),
  row(['TOMBOLO_SMTP_URL', 'TOMBOLO_SMTP_FROM'], 'origin',
    '`smtps://user:password@host`, or `smtp://…` with STARTTLS, and whom mails to people come from; development writes '
      + 'to a file without them'),
  row(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION', 'S3_ENDPOINT'], 'backup, restore',
    'what [`s3://` places](#backups-in-a-bucket) are opened with; the region is `us-east-1` and the endpoint Amazon\'s unless said'),
  row(['TOMBOLO_ORIGIN_URL'], 'edge',
    'where the origin is, without a path; https in production. Several on one MongoDB, comma between, each with '
      + '`weight=N` (1 unless said) or one with `canary=PERCENT` behind it: "Several origins" below'),
  row(['TOMBOLO_ISSUER', 'TOMBOLO_AUDIENCE', 'TOMBOLO_JWKS_URL'], 'edge',
    'whose tokens are taken, for whom, and where the keys are'),
  row(['TOMBOLO_ROLES_CLAIM', 'TOMBOLO_TENANT_CLAIM', 'TOMBOLO_PLAN_CLAIM', 'TOMBOLO_AUDIENCE_CLAIM'], 'edge',
    '`roles`, `tenant`, `plan`, `aud`: names with dots between, a name with dots in double quotes, or a whole URL. A '
      + 'token that names no audience is refused'),
  row(['TOMBOLO_CORS_ORIGINS'], 'edge, and the origin where people are on',
    'exact origins of pages that may read answers, and that people may be sent back to, comma between'),
  row(['TOMBOLO_MEMO_MS', 'TOMBOLO_FEED_SILENT_MS'], 'edge',
    '1000, 1000: how long an isolate believes the coordinator, and when a silent feed is not a fresh one'),
  row(['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'], 'edge, serve',
    'none: [Redis](#redis-in-place-of-durable-objects) that keeps limits, generations and tickets; both or neither, https in production'),
  row(['TOMBOLO_STALE_IF_ERROR_MS'], 'edge',
    '300000: for how long what was last known to be right stands in for an origin that is away, with its `Age` and '
      + '`detail=stale-if-error`; 0: never'),
  row(['TOMBOLO_OPENAPI'], 'edge',
    '`public` (the default, in production too: refusals name fields, shapes and rules already, so hiding it would keep '
      + 'nothing secret) or `off`'),
  row(['TOMBOLO_ANONYMOUS_PLAN'], 'edge',
    'the plan of callers without a token, when it is not the declared one'),
];

function row(names: readonly string[], where: string, meaning: string): SettingRow {
  return { names, where, meaning };
}

/** Those that may stand in files of their own. */
const inFiles = row(
  secrets.map((name) => `${name}_FILE`), 'origin, serve, `npm run edge`, commands',
  'a file with the secret in place of it, as Docker\'s secrets and Vault\'s agent write one; read at the start, '
    + 'and [some at HUP](#secrets-while-it-runs)',
);

/** As the README has it. */
function toSettingsTable(): string {
  const lines = [...settingRows, inFiles].map(({ names, where, meaning }) => `| ${names.map(quoted).join(', ')} | ${where} | ${meaning} |`);
  return ['| variable | where | meaning and default |', '|---|---|---|', ...lines].join('\n');
}

function quoted(name: string): string {
  return `\`${name}\``;
}

process.stdout.write(`${toSettingsTable()}\n`);

/**
 * The settings of development: the environment's own, with a key ring from the data dir where none is set. Those
 * of the edge are checked here as well, as the Worker will read them, so that all mistakes are told at once and
 * before anything is built.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEdgeSettings } from '../../shared/settings/edge-settings.ts';
import { offered } from '../../shared/resources/plans.ts';
import { SettingsError, SettingsReader, type Variables } from '../../shared/settings/reader.ts';
import { redisVariables } from '../../shared/settings/redis.ts';
import { mustBothBeRight } from '../both-settings.ts';
import { makeDataDir } from '../data-dir.ts';
import { dataDirDefault, edgePortDefault, readSettings, type Settings } from '../settings.ts';
import { developmentNames } from './identity.ts';
import { openDevelopmentSecrets } from './incoming-secrets.ts';
import { openDevelopmentKeys } from './keys.ts';
import { toPeopleVariables } from './people.ts';

export interface RunSettings {
  readonly settings: Settings;
  /** Variables and secrets of the Worker, over those of `wrangler.toml`. */
  readonly edgeVariables: Readonly<Record<string, string>>;
}

/** The settings of edge and origin together. */
export async function mustRunSettings(given: Variables, project: string): Promise<RunSettings> {
  const { reader, settings } = await readDevelopment(given);
  const edgeVariables = toEdgeVariables(settings, given);
  const edge = new SettingsReader({ ...declaredVariables(project), ...edgeVariables });
  readEdgeSettings(edge, offered.byName);
  mustBothBeRight(reader, edge);
  return { settings, edgeVariables };
}

/** The settings of the origin alone. */
export async function mustDevelopmentSettings(given: Variables): Promise<Settings> {
  const { reader, settings } = await readDevelopment(given);
  reader.mustBeRight();
  return settings;
}

async function readDevelopment(given: Variables): Promise<{ reader: SettingsReader; settings: Settings }> {
  const text = (variable: string): string => String(given[variable] ?? '');
  if (text('TOMBOLO_ENV') === 'production') {
    throw new SettingsError(['TOMBOLO_ENV: is production; this command is for development alone, an origin host runs `npm run origin`']);
  }
  const dataDir = text('TOMBOLO_DATA_DIR') || dataDirDefault;
  makeDataDir(dataDir);
  const keys = text('TOMBOLO_KEYS') || (await openDevelopmentKeys(dataDir));
  const secrets = text('TOMBOLO_INCOMING_SECRETS') || (await openDevelopmentSecrets(dataDir));
  const people = await toPeopleVariables({
    said: text('TOMBOLO_PEOPLE'), hasMongodb: text('MONGODB_URI') !== '', dataDir, edgePort: text('TOMBOLO_EDGE_PORT') || edgePortDefault,
  });
  const reader = new SettingsReader({ ...given, ...people, TOMBOLO_KEYS: keys, TOMBOLO_INCOMING_SECRETS: secrets });
  return { reader, settings: readSettings(reader) };
}

/** Settings of the edge that are set in the environment win over those of `wrangler.toml`. */
const ofTheEdge = [
  'TOMBOLO_CORS_ORIGINS', 'TOMBOLO_MEMO_MS', 'TOMBOLO_FEED_SILENT_MS', 'TOMBOLO_STALE_IF_ERROR_MS', 'TOMBOLO_ANONYMOUS_PLAN',
  'TOMBOLO_OPENAPI', 'TOMBOLO_LOG_LEVEL', 'TOMBOLO_LOG_ONE_IN', 'TOMBOLO_OTLP_URL', 'TOMBOLO_TRACE_ONE_IN', 'TOMBOLO_METRICS_TOKEN',
];

function toEdgeVariables(settings: Settings, given: Variables): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(ofTheEdge.flatMap((name) => (given[name] === undefined ? [] : [[name, String(given[name])] as const]))),
    TOMBOLO_ENV: 'development',
    TOMBOLO_PEOPLE: settings.people?.url ?? 'off',
    TOMBOLO_ORIGIN_URL: `http://127.0.0.1:${settings.originPort}`,
    TOMBOLO_KEYS: settings.keys.map(({ id, secret }) => `${id}:${Buffer.from(secret).toString('base64url')}`).join(','),
    TOMBOLO_ISSUER: developmentNames.issuer,
    TOMBOLO_AUDIENCE: developmentNames.audience,
    // That of production is another's: what `wrangler.toml` may say of it is not taken.
    ...Object.fromEntries(redisVariables.map((name) => [name, String(given[name] ?? '')])),
    // The issuer here is our own, whatever the claims of the one in production are called.
    ...Object.fromEntries(
      ['TOMBOLO_AUDIENCE_CLAIM', 'TOMBOLO_PLAN_CLAIM', 'TOMBOLO_ROLES_CLAIM', 'TOMBOLO_TENANT_CLAIM'].map((name) => [name, '']),
    ),
    TOMBOLO_JWKS_URL: `http://127.0.0.1:${settings.originPort}/.well-known/jwks.json`,
  };
}

/** What `wrangler.toml` sets, which a deploy takes along. */
export function declaredVariables(project: string): Variables {
  const { vars } = Bun.TOML.parse(readFileSync(join(project, 'wrangler.toml'), 'utf8')) as { readonly vars?: Variables };
  return vars ?? {};
}

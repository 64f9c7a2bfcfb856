/**
 * The edge's settings: one place, pure. A missing or wrong variable is never replaced by a default: the
 * Worker then answers 503 to everything and its log names each variable, never a value. `npm start` reads them
 * with the same function before it builds anything, so that a mistake is told at once.
 */
import { type ClaimPaths, readClaimPaths } from './claim-paths.ts';
import type { HopKey } from '../hop/keys.ts';
import { readPeople } from '../people/setting.ts';
import { type OriginSetting, readOrigins } from './origin-list.ts';
import { readRedis } from './redis.ts';
import { type Environment, isSafeUrl, type LeastLevel, logOneInDefault, SettingsReader, type Variables } from './reader.ts';

export interface EdgeSettings {
  readonly environment: Environment;
  readonly origins: readonly OriginSetting[];
  readonly keys: readonly [HopKey, ...HopKey[]];
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly claims: ClaimPaths;
  /** Exact origins (RFC 6454) of the browsers' pages that may read answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** How long an isolate believes the coordinator's answer: the first summand of staleness. */
  readonly memoMs: number;
  /** How long an answer that was last known to be right may stand in for an origin that is away; 0: never. */
  readonly staleIfErrorMs: number;
  /** The age of the last report past which the feed counts as silent, and generations as unknown. */
  readonly feedSilentMs: number;
  /** A plan for callers who are not signed in, in place of the declared one: for networks of one's own, and load tests. */
  readonly anonymousPlan: string;
  /** Whether `/openapi.json` and `/docs` are there. */
  readonly openapi: 'public' | 'off';
  /** Lines of the log below it are not written; `debug`: every request has one. */
  readonly logLevel: LeastLevel;
  /** Of how many requests that are answered well one has a line in the log; 0: none has. */
  readonly logOneIn: number;
  /** The public origin below which `/auth` is; absent: people are off. */
  readonly people: string | undefined;
  /** An OTLP/HTTP receiver that spans are sent to; `undefined`: none is. */
  readonly otlpUrl: string | undefined;
  /** Of how many requests whose caller did not decide it one is traced; 0: none is. */
  readonly traceOneIn: number;
  /** Who shows it may read what the edge counts; `undefined`: nobody. */
  readonly metricsToken: string | undefined;
}

/** The names of the plans that `TOMBOLO_ANONYMOUS_PLAN` may choose from. */
export type PlanNames = Pick<ReadonlySet<string>, 'has' | 'keys'>;

/** Throws one `SettingsError` that names everything wrong. */
export function mustEdgeSettings(given: Variables, plans: PlanNames): EdgeSettings {
  const reader = new SettingsReader(given);
  const settings = readEdgeSettings(reader, plans);
  reader.mustBeRight();
  return settings;
}

/** The settings hold only where the reader found nothing wrong. */
export function readEdgeSettings(reader: SettingsReader, plans: PlanNames): EdgeSettings {
  const environment = reader.environment(reader.text('TOMBOLO_ENV'));
  // Whoever makes the host takes it (`edge/host/redis.ts`); what is wrong with it is told with the rest.
  readRedis(reader, environment);
  return {
    environment,
    origins: readOrigins(reader, 'TOMBOLO_ORIGIN_URL', environment),
    keys: reader.keys(),
    issuer: reader.text('TOMBOLO_ISSUER'),
    audience: reader.text('TOMBOLO_AUDIENCE'),
    jwksUrl: toUrl(reader, 'TOMBOLO_JWKS_URL', environment).href,
    claims: readClaimPaths(reader),
    corsOrigins: toOrigins(reader, 'TOMBOLO_CORS_ORIGINS'),
    memoMs: toMilliseconds(reader, 'TOMBOLO_MEMO_MS', 1_000),
    staleIfErrorMs: toMilliseconds(reader, 'TOMBOLO_STALE_IF_ERROR_MS', 300_000),
    feedSilentMs: toMilliseconds(reader, 'TOMBOLO_FEED_SILENT_MS', 1_000),
    anonymousPlan: toPlanName(reader, 'TOMBOLO_ANONYMOUS_PLAN', plans),
    openapi: toOpenapi(reader, 'TOMBOLO_OPENAPI'),
    logLevel: reader.level('TOMBOLO_LOG_LEVEL', 'info'),
    otlpUrl: reader.url('TOMBOLO_OTLP_URL', environment),
    traceOneIn: reader.oneIn('TOMBOLO_TRACE_ONE_IN', 0),
    logOneIn: reader.oneIn('TOMBOLO_LOG_ONE_IN', logOneInDefault[environment]),
    people: readPeople(reader, environment),
    metricsToken: toSecret(reader, 'TOMBOLO_METRICS_TOKEN'),
  };
}

function toUrl(reader: SettingsReader, variable: string, environment: Environment): URL {
  const text = reader.text(variable);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (text !== '' && (url === undefined || !isSafeUrl(url, environment))) reader.complain(variable, 'must be an https URL');
  return url ?? new URL('https://unset.invalid');
}

function toOrigins(reader: SettingsReader, variable: string): ReadonlySet<string> {
  const text = reader.optional(variable);
  const origins = text === '' ? [] : text.split(',').map((part) => part.trim());
  if (!origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin)) {
    reader.complain(variable, 'must list exact origins such as https://app.example.com, comma between');
  }
  return new Set(origins);
}

function toMilliseconds(reader: SettingsReader, variable: string, fallback: number): number {
  return reader.count(variable, { fallback, max: 99_999_999, what: 'must be whole milliseconds' });
}

/** Public unless said: it tells nothing that refusals do not tell, which name fields, shapes and what a rule demands. */
function toOpenapi(reader: SettingsReader, variable: string): EdgeSettings['openapi'] {
  const text = reader.optional(variable);
  if (text !== '' && text !== 'public' && text !== 'off') reader.complain(variable, 'must be public or off');
  return text === 'off' ? 'off' : 'public';
}

function toSecret(reader: SettingsReader, variable: string): string | undefined {
  const text = reader.optional(variable);
  if (text !== '' && !/^[!-~]{32,256}$/.test(text)) reader.complain(variable, 'must be 32 to 256 printable characters without spaces');
  return text === '' ? undefined : text;
}

function toPlanName(reader: SettingsReader, variable: string, plans: PlanNames): string {
  const name = reader.optional(variable);
  if (name !== '' && !plans.has(name)) {
    reader.complain(variable, `names no plan of shared/resources/plans.ts; there are ${[...plans.keys()].join(', ')}`);
  }
  return name;
}

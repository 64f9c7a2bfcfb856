/**
 * The origin's settings: one place, read once, pure. In production a missing secret is a refusal to start;
 * development's own defaults (keys, identity) are made by `origin/dev` and passed in as if they were set.
 */
import { mustKeyRing } from '../shared/hop/keys.ts';
import type { HopKey } from '../shared/hop/keys.ts';
import { storeLimits } from './store/limits.ts';

export type Environment = 'development' | 'production';

export interface Settings {
  readonly environment: Environment;
  readonly dataDir: string;
  /** A MongoDB deployment to store in; without it, the embedded SQLite in `dataDir`. */
  readonly mongodbUri: string | undefined;
  readonly originHost: string;
  readonly originPort: number;
  readonly edgePort: number;
  readonly keys: readonly [HopKey, ...HopKey[]];
  /** Workers that are told of changes; each gets every report. */
  readonly edgeUrls: readonly string[];
  /** What the change log of the embedded SQLite may take on disk: the oldest changes go first. */
  readonly logBytesMax: number;
  readonly seed: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

/** A setting that is missing or wrong. The message names the variable and never its value. */
export class SettingsError extends Error {
  constructor(variable: string, detail: string) {
    super(`${variable}: ${detail}`);
    this.name = 'SettingsError';
  }
}

export type Variables = Readonly<Record<string, string | undefined>>;

export function mustSettings(given: Variables): Settings {
  const environment = mustEnvironment(given);
  const edgePort = mustPort(given, 'TOMBOLO_EDGE_PORT', 8787);
  return {
    environment,
    edgePort,
    dataDir: given['TOMBOLO_DATA_DIR'] ?? './.tombolo',
    mongodbUri: mustMongodbUri(given['MONGODB_URI']),
    originHost: given['TOMBOLO_ORIGIN_HOST'] ?? '127.0.0.1',
    originPort: mustPort(given, 'TOMBOLO_ORIGIN_PORT', 8788),
    keys: mustKeys(given['TOMBOLO_KEYS'], environment),
    edgeUrls: mustUrls(given['TOMBOLO_EDGE_URLS'], environment, edgePort),
    logBytesMax: mustBytes(given, 'TOMBOLO_LOG_BYTES_MAX', { fallback: storeLimits.logBytesMax, min: 1_048_576 }),
    seed: environment === 'development' && given['TOMBOLO_SEED'] !== '0',
    logLevel: mustLevel(given['TOMBOLO_LOG_LEVEL'] ?? (environment === 'production' ? 'info' : 'warn')),
  };
}

export function mustEnvironment(given: Variables): Environment {
  const text = given['TOMBOLO_ENV'] ?? 'development';
  if (text !== 'development' && text !== 'production') throw new SettingsError('TOMBOLO_ENV', 'must be development or production');
  return text;
}

function mustPort(given: Variables, variable: string, fallback: number): number {
  const text = given[variable];
  if (text === undefined || text === '') return fallback;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(port >= 0 && port <= 65_535)) throw new SettingsError(variable, 'must be a port from 0 to 65535');
  return port;
}

function mustBytes(given: Variables, variable: string, { fallback, min }: { readonly fallback: number; readonly min: number }): number {
  const text = given[variable];
  if (text === undefined || text === '') return fallback;
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (!(bytes >= min)) throw new SettingsError(variable, `must be a whole number of bytes, ${min} or more`);
  return bytes;
}

function mustKeys(text: string | undefined, environment: Environment): Settings['keys'] {
  if (text === undefined || text === '') {
    throw new SettingsError('TOMBOLO_KEYS', environment === 'production'
      ? 'is required in production: <id>:<base64url of 32 random bytes>, the same at the edge'
      : 'is missing; `npm start` makes one, a lone origin needs the one of its edge');
  }
  try {
    return mustKeyRing(text);
  } catch (cause) {
    throw new SettingsError('TOMBOLO_KEYS', cause instanceof Error ? cause.message : 'is malformed');
  }
}

function mustUrls(text: string | undefined, environment: Environment, edgePort: number): readonly string[] {
  if (text === undefined || text === '') {
    if (environment === 'production') throw new SettingsError('TOMBOLO_EDGE_URLS', 'is required in production: the URLs of the Workers to tell of changes');
    return [`http://127.0.0.1:${edgePort}`];
  }
  return text.split(',').map((part) => {
    if (!URL.canParse(part) || !/^https?:$/.test(new URL(part).protocol)) throw new SettingsError('TOMBOLO_EDGE_URLS', 'must be http(s) URLs, comma between');
    return new URL(part).origin;
  });
}

function mustLevel(text: string): Settings['logLevel'] {
  if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error' || text === 'silent') return text;
  throw new SettingsError('TOMBOLO_LOG_LEVEL', 'must be debug, info, warn, error or silent');
}

/** What it says beyond its form, the driver and the checks at start find out. */
function mustMongodbUri(uri: string | undefined): string | undefined {
  if (uri === undefined || uri === '') return undefined;
  if (!/^mongodb(\+srv)?:\/\/[^/]+/.test(uri)) throw new SettingsError('MONGODB_URI', 'is not a MongoDB connection string (mongodb://… or mongodb+srv://…)');
  return uri;
}

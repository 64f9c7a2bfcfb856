/**
 * The origin's settings: one place, read once, pure. In production a missing secret is a refusal to start;
 * development's own defaults (keys, identity) are made by `origin/dev` and passed in as if they were set.
 */
import type { HopKey } from '../shared/hop/keys.ts';
import {
  type Environment, isSafeUrl, type LeastLevel, logOneInDefault, SettingsReader, type Variables,
} from '../shared/settings/reader.ts';
import { type IncomingSecrets, readIncomingSecrets } from './incoming/secrets.ts';
import { type PeopleSettings, readPeopleSettings } from './people/settings.ts';
import { storeLimits } from './store/limits.ts';

export interface Settings {
  readonly environment: Environment;
  readonly dataDir: string;
  /** A MongoDB deployment to store in; without it, the embedded SQLite in `dataDir`. */
  readonly mongodbUri: string | undefined;
  readonly originHost: string;
  readonly originPort: number;
  readonly edgePort: number;
  /** For how long a socket that is about to close takes what comes, and asks clients for another connection. */
  readonly drainMs: number;
  /** Resident memory past which one of several processes is replaced; 0: none. */
  readonly processBytesMax: number;
  /** Where metrics are told, unsigned; `undefined`: nowhere. */
  readonly metrics: MetricsAddress | undefined;
  /** An OTLP/HTTP receiver that spans are sent to; `undefined`: none is. */
  readonly otlpUrl: string | undefined;
  readonly keys: readonly [HopKey, ...HopKey[]];
  readonly incomingSecrets: IncomingSecrets;
  /** Workers that are told of changes; each gets every report. */
  readonly edgeUrls: readonly string[];
  /** What the change log of the embedded SQLite may take on disk: the oldest changes go first. */
  readonly logBytesMax: number;
  /** What kept answers may take in memory (`answers/kept-answers.ts`); 0: none are kept. */
  readonly answersBytesMax: number;
  /** What must be left on the disk of the embedded SQLite for this process to be ready. */
  readonly diskBytesMin: number;
  /** Whether empty collections of Tombolo's own making are given the sample. */
  readonly seed: boolean;
  readonly logLevel: LeastLevel;
  /** Of how many requests that are answered well one has a line in the log; 0: none has. */
  readonly logOneIn: number;
  /** `undefined`: people are off. */
  readonly people: PeopleSettings | undefined;
  /** Whether webhooks may lead to this machine, by plain HTTP too: never in production. */
  readonly webhooksLoopback: boolean;
}

/** Where metrics are told: `TOMBOLO_METRICS_PORT`, `TOMBOLO_METRICS_HOST`. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
  /** The number of one of several processes, told as a label of all that it tells. */
  readonly process?: number;
}

export const edgePortDefault = '8787';

export const originPortDefault = 8788;

export const dataDirDefault = './.tombolo';

/** 3 000 pages of 20 films, or 40 000 films. */
export const answersBytesDefault = 67_108_864;

/** What is left of a stop's time finishes what runs. */
export const drainMsMax = 5_000;

/** One that serves and has nothing to do takes 115 MB. */
export const processBytesLeast = 67_108_864;
/** A checkpoint of the longest transaction, and some minutes of a busy hour. */
export const diskBytesDefault = 67_108_864;

/** A log bounded below this would forget what was written a moment ago. */
const logBytesLeast = 1_048_576;

/** Throws one `SettingsError` that names everything wrong. */
export function mustSettings(given: Variables): Settings {
  const reader = new SettingsReader(given);
  const settings = readSettings(reader);
  reader.mustBeRight();
  return settings;
}

/** An origin tells Workers of changes; where both are one process, there is none to tell. */
export type Role = 'origin' | 'one process';

/** The settings hold only where the reader found nothing wrong. */
export function readSettings(reader: SettingsReader, role: Role = 'origin'): Settings {
  const environment = reader.environment(reader.optional('TOMBOLO_ENV') || 'development');
  const edgePort = toPort(reader, 'TOMBOLO_EDGE_PORT', Number(edgePortDefault));
  const mongodbUri = toMongodbUri(reader, 'MONGODB_URI');
  return {
    environment,
    edgePort,
    dataDir: reader.optional('TOMBOLO_DATA_DIR') || dataDirDefault,
    mongodbUri,
    originHost: reader.optional('TOMBOLO_ORIGIN_HOST') || '127.0.0.1',
    originPort: toPort(reader, 'TOMBOLO_ORIGIN_PORT', originPortDefault),
    drainMs: reader.count('TOMBOLO_DRAIN_MS', {
      fallback: 0, max: drainMsMax, what: `must be whole milliseconds, ${drainMsMax} at most: a stop takes less than 10 s` }),
    processBytesMax: toProcessBytes(reader, 'TOMBOLO_PROCESS_BYTES_MAX'),
    metrics: toMetricsAddress(reader),
    otlpUrl: reader.url('TOMBOLO_OTLP_URL', environment),
    keys: reader.keys(environment === 'production'
      ? 'is required in production: <id>:<base64url of 32 random bytes>, the same at the edge'
      : 'is missing; `npm start` makes one, a lone origin needs the one of its edge'),
    incomingSecrets: readIncomingSecrets(reader),
    edgeUrls: role === 'one process' ? [] : toEdgeUrls(reader, environment, edgePort),
    logBytesMax: reader.count('TOMBOLO_LOG_BYTES_MAX', {
      fallback: storeLimits.logBytesMax,
      min: logBytesLeast,
      max: Number.MAX_SAFE_INTEGER,
      what: `must be a whole number of bytes, ${logBytesLeast} or more`,
    }),
    answersBytesMax: reader.count('TOMBOLO_ANSWERS_BYTES_MAX', {
      fallback: answersBytesDefault, max: Number.MAX_SAFE_INTEGER, what: 'must be a whole number of bytes; 0 keeps no answers',
    }),
    diskBytesMin: reader.count('TOMBOLO_DISK_BYTES_MIN', {
      fallback: diskBytesDefault, max: Number.MAX_SAFE_INTEGER, what: 'must be a whole number of bytes; 0 asks for none',
    }),
    seed: environment === 'development' && isSeeded(reader.optional('TOMBOLO_SEED'), mongodbUri),
    logLevel: reader.level('TOMBOLO_LOG_LEVEL', environment === 'production' ? 'info' : 'warn'),
    logOneIn: reader.oneIn('TOMBOLO_LOG_ONE_IN', logOneInDefault[environment]),
    people: readPeopleSettings(reader, environment),
    webhooksLoopback: isLoopbackAllowed(reader, environment),
  };
}

function isLoopbackAllowed(reader: SettingsReader, environment: Environment): boolean {
  const variable = 'TOMBOLO_WEBHOOKS_LOOPBACK';
  const said = reader.optional(variable);
  if (said !== '' && said !== '0' && said !== '1') reader.complain(variable, 'must be 1 or 0');
  if (said === '1' && environment === 'production') reader.complain(variable, 'is for development: nothing in production leads inside');
  return said === '1' && environment === 'development';
}

/** Unasked only the embedded store: a database that somebody named is given no documents. */
function isSeeded(said: string, mongodbUri: string | undefined): boolean {
  return mongodbUri === undefined ? said !== '0' : said === '1';
}

function toPort(reader: SettingsReader, variable: string, fallback: number): number {
  return reader.count(variable, { fallback, max: 65_535, what: 'must be a port from 0 to 65535' });
}

function toProcessBytes(reader: SettingsReader, variable: string): number {
  const what = `must be a whole number of bytes, ${processBytesLeast} or more`;
  return reader.count(variable, { fallback: 0, min: processBytesLeast, max: Number.MAX_SAFE_INTEGER, what });
}

/** The port is named, since whoever scrapes must know it. */
function toMetricsAddress(reader: SettingsReader): MetricsAddress | undefined {
  const port = reader.count('TOMBOLO_METRICS_PORT', { fallback: 0, min: 1, max: 65_535, what: 'must be a port from 1 to 65535' });
  return port === 0 ? undefined : { port, host: reader.optional('TOMBOLO_METRICS_HOST') || '127.0.0.1' };
}

function toEdgeUrls(reader: SettingsReader, environment: Environment, edgePort: number): readonly string[] {
  const variable = 'TOMBOLO_EDGE_URLS';
  const text =
    environment === 'production'
      ? reader.text(variable, 'is required in production: the URLs of the Workers to tell of changes')
      : reader.optional(variable);
  if (text === '') return [`http://127.0.0.1:${edgePort}`];
  const urls = text.split(',').flatMap((part) => (URL.canParse(part) ? [new URL(part)] : []));
  if (urls.length === text.split(',').length && urls.every((url) => isSafeUrl(url, environment))) return urls.map((url) => url.origin);
  reader.complain(variable, environment === 'production' ? 'must be https URLs, comma between' : 'must be http(s) URLs, comma between');
  return [];
}

/** The connection string, checked for its form; the driver and the checks at start find the rest. */
function toMongodbUri(reader: SettingsReader, variable: string): string | undefined {
  const uri = reader.optional(variable);
  if (uri === '') return undefined;
  if (!/^mongodb(\+srv)?:\/\/[^/]+/.test(uri)) {
    reader.complain(variable, 'is not a MongoDB connection string (mongodb://… or mongodb+srv://…)');
  }
  return uri;
}

/**
 * The edge's settings: one place, pure. A missing or wrong variable is never replaced by a default: the
 * Worker then answers 503 to everything and its log names each variable, never a value.
 */
import { type HopKey, mustKeyRing } from '../shared/hop/keys.ts';

export interface Settings {
  readonly environment: 'development' | 'production';
  readonly originUrl: URL;
  readonly keys: readonly [HopKey, ...HopKey[]];
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  /** Exact origins (RFC 6454) of the browsers' pages that may read answers. */
  readonly corsOrigins: ReadonlySet<string>;
  /** How long an isolate believes the coordinator's answer: the first summand of staleness. */
  readonly memoMs: number;
  /** How long an answer that was last known to be right may stand in for an origin that is away; 0: never. */
  readonly staleIfErrorMs: number;
  /** Past this age of "complete through" the feed counts as silent, and generations as unknown. */
  readonly feedSilentMs: number;
  /** A plan for callers who are not signed in, in place of the declared one: for networks of one's own, and load tests. */
  readonly anonymousPlan: string;
}

export class SettingsError extends Error {
  constructor(wrong: readonly string[]) {
    super(wrong.join('; '));
    this.name = 'SettingsError';
  }
}

/** Throws one `SettingsError` that names everything wrong. */
export function mustSettings(given: Readonly<Record<string, unknown>>): Settings {
  const reader = new SettingsReader(given);
  const environment = reader.environment();
  const settings = {
    environment,
    originUrl: reader.url('TOMBOLO_ORIGIN_URL', environment),
    keys: reader.keys('TOMBOLO_KEYS'),
    issuer: reader.text('TOMBOLO_ISSUER'),
    audience: reader.text('TOMBOLO_AUDIENCE'),
    jwksUrl: reader.url('TOMBOLO_JWKS_URL', environment).href,
    corsOrigins: reader.origins('TOMBOLO_CORS_ORIGINS'),
    memoMs: reader.milliseconds('TOMBOLO_MEMO_MS', 1_000),
    staleIfErrorMs: reader.milliseconds('TOMBOLO_STALE_IF_ERROR_MS', 300_000),
    feedSilentMs: reader.milliseconds('TOMBOLO_FEED_SILENT_MS', 1_000),
    anonymousPlan: reader.optional('TOMBOLO_ANONYMOUS_PLAN'),
  };
  if (reader.wrong.length > 0) throw new SettingsError(reader.wrong);
  return settings;
}

/** Reads on past a mistake, so that one look at the log tells all of them. */
class SettingsReader {
  readonly #given: Readonly<Record<string, unknown>>;
  readonly wrong: string[] = [];

  constructor(given: Readonly<Record<string, unknown>>) {
    this.#given = given;
  }

  text(variable: string): string {
    const value = this.#given[variable];
    if (typeof value === 'string' && value !== '') return value;
    this.wrong.push(`${variable} is missing`);
    return '';
  }

  optional(variable: string): string {
    const value = this.#given[variable];
    return typeof value === 'string' ? value : '';
  }

  environment(): Settings['environment'] {
    const text = this.text('TOMBOLO_ENV');
    if (text !== '' && text !== 'development' && text !== 'production') this.wrong.push('TOMBOLO_ENV must be development or production');
    return text === 'development' ? 'development' : 'production';
  }

  /** In production only TLS protects streamed bodies, so plain HTTP is for the same machine alone. */
  url(variable: string, environment: Settings['environment']): URL {
    const text = this.text(variable);
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (url !== undefined && variable === 'TOMBOLO_ORIGIN_URL' && url.href !== `${url.origin}/`) this.wrong.push(`${variable} must be an origin, without a path`);
    const plain = url?.protocol === 'http:' && (environment === 'development' || isLoopback(url.hostname));
    if (text !== '' && url?.protocol !== 'https:' && !plain) this.wrong.push(`${variable} must be an https URL`);
    return url ?? new URL('https://unset.invalid');
  }

  keys(variable: string): Settings['keys'] {
    const text = this.text(variable);
    try {
      return mustKeyRing(text);
    } catch (cause) {
      if (text !== '') this.wrong.push(cause instanceof Error ? cause.message : `${variable} is malformed`);
      return [{ id: 'unset', secret: new Uint8Array(32) }];
    }
  }

  origins(variable: string): ReadonlySet<string> {
    const text = this.#given[variable];
    const origins = typeof text === 'string' && text !== '' ? text.split(',').map((part) => part.trim()) : [];
    for (const origin of origins) if (!URL.canParse(origin) || new URL(origin).origin !== origin) this.wrong.push(`${variable} must list exact origins such as https://app.example.com`);
    return new Set(origins);
  }

  milliseconds(variable: string, fallback: number): number {
    const text = this.#given[variable] ?? String(fallback);
    if (typeof text === 'string' && /^\d{1,8}$/.test(text)) return Number(text);
    this.wrong.push(`${variable} must be whole milliseconds`);
    return fallback;
  }
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

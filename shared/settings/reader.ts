/**
 * How both sides read their settings: on past a mistake, so that one look tells all of them. A message names
 * the variable and never its value.
 */
import { type HopKey, mustKeyRing } from '../hop/keys.ts';

/** `process.env`, or the bindings of a Worker. */
export type Variables = Readonly<Record<string, unknown>>;

export type Environment = 'development' | 'production';

/** The level below which no line of the log is written. */
export type LeastLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What is missing or wrong: one entry a variable. */
export class SettingsError extends Error {
  readonly wrong: readonly string[];

  constructor(wrong: readonly string[]) {
    super(wrong.join('; '));
    this.wrong = wrong;
    this.name = 'SettingsError';
  }
}

/** Lines of requests that nobody misses cost less than a hundredth of them (`test/bench/request-log.ts`). */
export const logOneInDefault = { production: 100, development: 0 } as const;

export class SettingsReader {
  readonly #given: Variables;
  readonly wrong: string[] = [];

  constructor(given: Variables) {
    this.#given = given;
  }

  complain(variable: string, detail: string): void {
    this.wrong.push(`${variable}: ${detail}`);
  }

  /** Throws one `SettingsError` that names everything wrong. */
  mustBeRight(): void {
    if (this.wrong.length > 0) throw new SettingsError(this.wrong);
  }

  /** The text of a variable, empty where it is not set. */
  optional(variable: string): string {
    const value = this.#given[variable];
    return typeof value === 'string' ? value : '';
  }

  text(variable: string, missing = 'is missing'): string {
    const value = this.optional(variable);
    if (value === '') this.complain(variable, missing);
    return value;
  }

  environment(text: string): Environment {
    if (text !== '' && text !== 'development' && text !== 'production') this.complain('TOMBOLO_ENV', 'must be development or production');
    return text === 'development' ? 'development' : 'production';
  }

  keys(missing?: string): readonly [HopKey, ...HopKey[]] {
    const text = this.text('TOMBOLO_KEYS', missing);
    try {
      return mustKeyRing(text);
    } catch (cause) {
      if (text !== '') this.complain('TOMBOLO_KEYS', cause instanceof Error ? cause.message : 'is malformed');
      return [{ id: 'unset', secret: new Uint8Array(32) }];
    }
  }

  /** Without a slash at its end; `undefined` where it is not set. */
  url(variable: string, environment: Environment): string | undefined {
    const text = this.optional(variable);
    if (text === '') return undefined;
    if (URL.canParse(text) && isSafeUrl(new URL(text), environment)) return new URL(text).href.replace(/\/$/, '');
    this.complain(variable, 'must be an https URL');
    return undefined;
  }

  level(variable: string, fallback: LeastLevel): LeastLevel {
    const text = this.optional(variable) || fallback;
    if (text === 'debug' || text === 'info' || text === 'warn' || text === 'error' || text === 'silent') return text;
    this.complain(variable, 'must be debug, info, warn, error or silent');
    return fallback;
  }

  /** Of how many things one is told of; 0: none is. */
  oneIn(variable: string, fallback: number): number {
    return this.count(variable, { fallback, max: 1_000_000, what: 'must be a whole number up to 1000000; 0 is none' });
  }

  /** A whole number from `min` (0 unless said) to `max`; anything else is refused as not `what`. */
  count(
    variable: string,
    { fallback, min = 0, max, what }: { readonly fallback: number; readonly min?: number; readonly max: number; readonly what: string },
  ): number {
    const value = this.#given[variable] ?? '';
    if (value === '') return fallback;
    if (typeof value === 'string' && /^\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
    this.complain(variable, what);
    return fallback;
  }
}

/** Whether TLS protects what is sent, or need not: plain HTTP is for the same machine, or development. */
export function isSafeUrl(url: URL, environment: Environment): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && (environment === 'development' || isLoopback(url.hostname)));
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}

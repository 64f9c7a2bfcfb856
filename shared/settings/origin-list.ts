/**
 * The origins behind an edge, as `TOMBOLO_ORIGIN_URL` lists them, comma between:
 *
 *   https://origin.example.com                                                    one
 *   https://a.example.com weight=2, https://b.example.com                         two callers of three go to the first
 *   https://blue.example.com weight=0, https://green.example.com                  all go to green; the switch is the weights
 *   https://a.example.com, https://next.example.com canary=5                      five callers of a hundred go to the canary
 */
import { type Environment, isSafeUrl, type SettingsReader } from './reader.ts';

export interface OriginSetting {
  /** Without a path. */
  readonly url: URL;
  /** Its part of the callers, beside those of the others; 0: none, and no retries. */
  readonly weight: number;
  /** Of a canary, the percent of all callers that go to it first; it has no weight. */
  readonly canaryPercent: number | undefined;
}

/** More would be a balancer's work, and each costs a hash a request. */
const originsMax = 8;
const weightMax = 1_000;
/** A larger part is a weight. */
const canaryPercentMax = 50;

const unset: OriginSetting = { url: new URL('https://unset.invalid'), weight: 1, canaryPercent: undefined };
const entry = /^(\S+)(?: +(weight|canary)=(\d{1,4}))?$/;

/** At least one has a weight and at most one is a canary, where nothing is wrong. */
export function readOrigins(reader: SettingsReader, variable: string, environment: Environment): readonly OriginSetting[] {
  const text = reader.text(variable);
  if (text === '') return [unset];
  const origins = text.split(',').map((part) => toOrigin(part.trim(), (detail) => reader.complain(variable, detail), environment));
  if (origins.length > originsMax) reader.complain(variable, `must list ${originsMax} origins at most`);
  if (new Set(origins.map(({ url }) => url.origin)).size < origins.length) reader.complain(variable, 'must not list an origin twice');
  if (!origins.some(({ weight }) => weight > 0)) reader.complain(variable, 'must list an origin with a weight');
  const canaries = origins.filter(({ canaryPercent }) => canaryPercent !== undefined);
  if (canaries.length > 1) reader.complain(variable, 'must list one canary at most');
  return origins;
}

function toOrigin(text: string, complain: (detail: string) => void, environment: Environment): OriginSetting {
  const [, address = '', option, digits] = entry.exec(text) ?? [];
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isSafeUrl(url, environment)) {
    complain('must be an https URL, or several with commas between, each with weight=N or canary=PERCENT behind it, or neither');
    return unset;
  }
  if (url.href !== `${url.origin}/`) complain('must be an origin, without a path');
  const number = Number(digits ?? 1);
  if (option === 'canary') {
    if (number < 1 || number > canaryPercentMax) complain(`canary= must be from 1 to ${canaryPercentMax} percent`);
    return { url, weight: 0, canaryPercent: number };
  }
  if (number > weightMax) complain(`weight= must be from 0 to ${weightMax}`);
  return { url, weight: number, canaryPercent: undefined };
}

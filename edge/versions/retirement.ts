/** What an old version says of its end: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and where to go, and 410 after it. */
import { remember } from '../../shared/remember.ts';
import type { Version, Versions } from '../../shared/versions/versions.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { digest64 } from '../../shared/wire/hash.ts';
import { edgeLimits } from '../limits.ts';
import { log } from '../log.ts';
import type { Target } from '../request/target.ts';

/** What every answer in this version says beside its content: fields, of which `link` may stand several times. */
export function retirementOf({ deprecatedAt, sunsetAt, link }: Version, { path }: Target): readonly (readonly [string, string])[] {
  if (deprecatedAt === undefined) return [];
  return [
    ['deprecation', `@${Math.floor(deprecatedAt / 1_000)}`],
    ...(sunsetAt === undefined ? [] : [['sunset', new Date(sunsetAt).toUTCString()] as const]),
    // RFC 5829 §3.3: the same in the version that comes after.
    ['link', `<${path}>; rel="successor-version"`],
    ...(link === undefined ? [] : [['link', `<${link}>; rel="deprecation"; type="text/html"`] as const]),
  ];
}

/** Throws `version_gone` after its sunset. */
export function mustBeServed({ name, sunsetAt }: Version, { current }: Versions): void {
  if (sunsetAt === undefined || sunsetAt > Date.now()) return;
  throw new Fault('version_gone', { detail: `${name} is no longer served; ${current.name} is` });
}

/** Requests of this isolate in deprecated versions, by version and caller; who was not seen for longest goes first. */
const uses = new Map<string, number>();

/** Counts a caller's use of a deprecated version; the log tells the first, and then each doubling, under a digest of the name. */
export function countUse({ name, deprecatedAt }: Version, caller: string): void {
  if (deprecatedAt === undefined) return;
  const digest = digest64(caller);
  const key = `${name} ${digest}`;
  const used = (uses.get(key) ?? 0) + 1;
  remember(uses, key, used, edgeLimits.callersRememberedMax);
  if ((used & (used - 1)) === 0) log('info', 'version.used', { version: name, caller: digest, used });
}

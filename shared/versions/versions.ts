/**
 * The versions of the API, oldest first; the last is the one that the origin speaks (SEMANTICS §19). What differs between
 * two neighbours stands with each resource and endpoint (`changes.ts`).
 */
import { Mistakes, refuseUnknown } from '../contract/mistakes.ts';

export interface VersionDeclaration {
  /** `v1`, `v2`: the first word of a path. */
  readonly name: string;
  /** An RFC 3339 date from which callers are asked to leave it; it is served like any other. */
  readonly deprecated?: string;
  /** An RFC 3339 date from which it is answered with 410. */
  readonly sunset?: string;
  /** A page that says how to leave it. */
  readonly link?: string;
}

export interface Version {
  readonly name: string;
  /** Milliseconds of the epoch. */
  readonly deprecatedAt: number | undefined;
  readonly sunsetAt: number | undefined;
  readonly link: string | undefined;
}

export interface Versions {
  readonly kind: 'versions';
  /** Oldest first. */
  readonly all: readonly Version[];
  readonly current: Version;
  readonly mistakes: readonly string[];
}

const keys = ['name', 'deprecated', 'sunset', 'link'] as const;

export function versions(...declared: readonly [VersionDeclaration, ...VersionDeclaration[]]): Versions {
  const mistakes = new Mistakes('shared/resources/versions.ts');
  const all = declared.map((each) => toVersion(each, mistakes));
  const current = all.at(-1) ?? onlyVersion;
  for (const name of new Set(all.map((each) => each.name))) {
    if (all.filter((each) => each.name === name).length > 1) mistakes.add(`version "${name}"`, 'is declared more than once');
  }
  if (current.deprecatedAt !== undefined || current.sunsetAt !== undefined) {
    mistakes.add(`version "${current.name}"`, 'is the current one: declare the next before this is deprecated');
  }
  return { kind: 'versions', all, current, mistakes: mistakes.found };
}

const onlyVersion: Version = { name: 'v1', deprecatedAt: undefined, sunsetAt: undefined, link: undefined };

/** Of an API that never had another. */
export const noVersions: Versions = { kind: 'versions', all: [onlyVersion], current: onlyVersion, mistakes: [] };

export function versionOf({ all }: Versions, name: string): Version | undefined {
  return all.find((each) => each.name === name);
}

export function isVersionName(text: string): boolean {
  return /^v[1-9]\d{0,3}$/.test(text);
}

function toVersion(declared: VersionDeclaration, mistakes: Mistakes): Version {
  const { name, deprecated, sunset, link } = declared;
  const key = `version "${String(name)}"`;
  const refuse = mistakes.at(`${key}: `);
  refuseUnknown(declared, keys, refuse);
  if (!isVersionName(name)) refuse('name', 'must be v and a whole number, as in "v2"');
  const [deprecatedAt, sunsetAt] = [toMs(deprecated, 'deprecated', refuse), toMs(sunset, 'sunset', refuse)];
  if (link !== undefined && !/^https?:\/\/[^\s<>"]+$/.test(link)) refuse('link', 'must be an http or https address');
  // RFC 9745 §4: what is gone was deprecated before.
  if (sunsetAt !== undefined && (deprecatedAt === undefined || deprecatedAt > sunsetAt)) refuse('sunset', 'must not be before deprecated');
  return { name, deprecatedAt, sunsetAt, link };
}

function toMs(text: string | undefined, key: string, refuse: (key: string, detail: string) => void): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2})?Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  refuse(key, 'must be a day or an instant in UTC, as in "2027-06-30"');
  return undefined;
}

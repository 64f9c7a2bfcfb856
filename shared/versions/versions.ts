/**
 * The versions of the API, oldest first; the last is the one that the origin speaks (SEMANTICS §19). What differs between
 * two neighbours stands with each resource and endpoint (`changes.ts`).
 */
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
  /** What `shared/checks` looks at before anything starts. */
  readonly declared: readonly VersionDeclaration[];
}

export function versions(...declared: readonly [VersionDeclaration, ...VersionDeclaration[]]): Versions {
  const all = declared.map(toVersion);
  return { kind: 'versions', all, current: all.at(-1) ?? onlyVersion, declared };
}

const onlyVersion = toVersion({ name: 'v1' });

/** Of an API that never had another. */
export const noVersions: Versions = { kind: 'versions', all: [onlyVersion], current: onlyVersion, declared: [{ name: 'v1' }] };

export function versionOf({ all }: Versions, name: string): Version | undefined {
  return all.find((each) => each.name === name);
}

export function isVersionName(text: string): boolean {
  return /^v[1-9]\d{0,3}$/.test(text);
}

function toVersion({ name, deprecated, sunset, link }: VersionDeclaration): Version {
  return { name, deprecatedAt: toMs(deprecated), sunsetAt: toMs(sunset), link };
}

function toMs(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Date.parse(text);
}

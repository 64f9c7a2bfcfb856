/** The paths that the edge answers itself. */
import { reportPath } from '../shared/hop/purge-report.ts';
import { docsPath, docsScriptPath } from '../shared/openapi/docs-paths.ts';
import type { Versions } from '../shared/versions/versions.ts';
import type { EdgeSettings } from '../shared/settings/edge-settings.ts';

const isDescribed = ({ openapi }: EdgeSettings): boolean => openapi !== 'off';
const always = (): boolean => true;

const table = {
  health: { method: 'GET', path: '/health', of: 'none', isThere: always },
  report: { method: 'POST', path: reportPath, of: 'none', isThere: always },
  openapi: { method: 'GET', path: '/openapi.json', of: 'version', isThere: isDescribed },
  docs: { method: 'GET', path: docsPath, of: 'none', isThere: isDescribed },
  docsScript: { method: 'GET', path: docsScriptPath, of: 'none', isThere: isDescribed },
  tickets: { method: 'POST', path: '/live/tickets', of: 'version', isThere: always },
} as const;

export type OwnName = keyof typeof table;

export interface OwnRoute {
  readonly name: OwnName;
  readonly method: 'GET' | 'POST';
  /** What its path allows (RFC 9110 §10.2.1). */
  readonly allow: string;
  isThere(settings: EdgeSettings): boolean;
}

type Known = OwnRoute & { readonly of: 'none' | 'version' };

const byPath: ReadonlyMap<string, Known> = new Map(
  Object.entries(table).map(([name, { method, path, of, isThere }]) => {
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
    return [path, { name: name as OwnName, method, allow, of, isThere }];
  }),
);

/** Whether nothing at this path differs between versions. */
export function isBarePath(path: string): boolean {
  return byPath.get(path)?.of === 'none';
}

/** `path`: as it is in the current version, or one that has no version. */
export function ownRouteOf(path: string, { current }: Versions, settings: EdgeSettings): OwnRoute | undefined {
  const route = byPath.get(path) ?? byPath.get(path.startsWith(`/${current.name}/`) ? path.slice(current.name.length + 1) : '');
  if (route === undefined || (route.of === 'version') !== (path !== ownPathOf(route.name))) return undefined;
  return route.isThere(settings) ? route : undefined;
}

/** Of what differs between versions, what stands below the name of one. */
export function ownPathOf(name: OwnName): string {
  return table[name].path;
}

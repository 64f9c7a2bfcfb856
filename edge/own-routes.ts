/** The paths that the edge answers itself. */
import { peopleLimits } from '../shared/people/limits.ts';
import { isPeoplePath } from '../shared/people/paths.ts';
import { reportPath } from '../shared/hop/purge-report.ts';
import type { Versions } from '../shared/versions/versions.ts';
import { edgePaths } from '../shared/wire/edge-paths.ts';
import type { EdgeSettings } from '../shared/settings/edge-settings.ts';

/** Where a scraper asks the edge. */
const metricsPath = '/.tombolo/metrics';

const isDescribed = ({ openapi }: EdgeSettings): boolean => openapi !== 'off';
const always = (): boolean => true;

const table = {
  health: { method: 'GET', path: edgePaths.health, of: 'none', isThere: always },
  live: { method: 'GET', path: edgePaths.live, of: 'none', isThere: always },
  ready: { method: 'GET', path: edgePaths.ready, of: 'none', isThere: always },
  metrics: { method: 'GET', path: metricsPath, of: 'none', isThere: ({ metricsToken }: EdgeSettings) => metricsToken !== undefined },
  report: { method: 'POST', path: reportPath, of: 'none', isThere: always },
  openapi: { method: 'GET', path: edgePaths.openapi, of: 'version', isThere: isDescribed },
  docs: { method: 'GET', path: edgePaths.docs, of: 'none', isThere: isDescribed },
  docsScript: { method: 'GET', path: edgePaths.docsScript, of: 'none', isThere: isDescribed },
  usage: { method: 'GET', path: edgePaths.usage, of: 'version', isThere: always },
  tickets: { method: 'POST', path: edgePaths.tickets, of: 'version', isThere: always },
} as const;

export type OwnName = keyof typeof table | 'people';

export interface OwnRoute {
  readonly name: OwnName;
  /** `GET` takes HEAD too, where it is the only one. */
  readonly methods: readonly ('GET' | 'POST')[];
  /** Units of the caller's plan. */
  readonly cost: number;
  /** What its path allows (RFC 9110 §10.2.1). */
  readonly allow: string;
  isThere(settings: EdgeSettings): boolean;
}

function routesOf(what: 'none' | 'version'): ReadonlyMap<string, OwnRoute> {
  const rows = Object.entries(table).filter(([, { of }]) => of === what);
  return new Map(rows.map(([name, { method, path, isThere }]) => {
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
    return [path, { name: name as OwnName, methods: [method], cost: 1, allow, isThere }];
  }));
}

/** All that is below `/auth`, whose own paths the origin knows (SEMANTICS §20). */
const people: OwnRoute = {
  name: 'people', methods: ['GET', 'POST'], cost: peopleLimits.cost, allow: 'GET, POST, OPTIONS',
  isThere: (settings) => settings.people !== undefined,
};

const bare = routesOf('none');
const versioned = routesOf('version');

/** Whether nothing at this path differs between versions. */
export function isBarePath(path: string): boolean {
  return bare.has(path) || isPeoplePath(path);
}

/** `path`: as it is in the current version, or one that has no version. */
export function ownRouteOf(path: string, { current }: Versions, settings: EdgeSettings): OwnRoute | undefined {
  const below = path.startsWith(`/${current.name}/`) ? path.slice(current.name.length + 1) : '';
  const route = bare.get(path) ?? versioned.get(below) ?? (isPeoplePath(path) ? people : undefined);
  return route?.isThere(settings) === true ? route : undefined;
}

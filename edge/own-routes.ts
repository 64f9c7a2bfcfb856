/** The paths that the edge answers itself. */
import { reportPath } from '../shared/hop/purge-report.ts';
import { docsPath, docsScriptPath } from '../shared/openapi/docs-paths.ts';
import { currentVersion } from '../shared/operations/route.ts';
import type { EdgeSettings } from '../shared/settings/edge-settings.ts';

const isDescribed = ({ openapi }: EdgeSettings): boolean => openapi !== 'off';
const always = (): boolean => true;

const table = {
  health: { method: 'GET', path: '/health', isThere: always },
  report: { method: 'POST', path: reportPath, isThere: always },
  openapi: { method: 'GET', path: '/openapi.json', isThere: isDescribed },
  docs: { method: 'GET', path: docsPath, isThere: isDescribed },
  docsScript: { method: 'GET', path: docsScriptPath, isThere: isDescribed },
  tickets: { method: 'POST', path: `/${currentVersion}/live/tickets`, isThere: always },
} as const;

export type OwnName = keyof typeof table;

export interface OwnRoute {
  readonly name: OwnName;
  readonly method: 'GET' | 'POST';
  /** What its path allows (RFC 9110 §10.2.1). */
  readonly allow: string;
  isThere(settings: EdgeSettings): boolean;
}

const byPath: ReadonlyMap<string, OwnRoute> = new Map(
  Object.entries(table).map(([name, { method, path, isThere }]) => {
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
    return [path, { name: name as OwnName, method, allow, isThere }];
  }),
);

export function ownRouteOf(path: string, settings: EdgeSettings): OwnRoute | undefined {
  const route = byPath.get(path);
  return route?.isThere(settings) === true ? route : undefined;
}

export function ownPathOf(name: OwnName): string {
  return table[name].path;
}

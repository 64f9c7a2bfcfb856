/** The paths that the edge answers itself. */
import { reportPath } from '../shared/hop/purge-report.ts';
import { currentVersion } from '../shared/operations/route.ts';

const table = {
  health: { method: 'GET', path: '/health' },
  report: { method: 'POST', path: reportPath },
  tickets: { method: 'POST', path: `/${currentVersion}/live/tickets` },
} as const;

export interface OwnRoute {
  readonly name: keyof typeof table;
  readonly method: 'GET' | 'POST';
  /** What its path allows (RFC 9110 §10.2.1). */
  readonly allow: string;
}

const byPath: ReadonlyMap<string, OwnRoute> = new Map(
  Object.entries(table).map(([name, { method, path }]) => {
    const allow = method === 'GET' ? 'GET, HEAD, OPTIONS' : `${method}, OPTIONS`;
    return [path, { name: name as keyof typeof table, method, allow }];
  }),
);

export function ownRouteOf(path: string): OwnRoute | undefined {
  return byPath.get(path);
}

// Fail points as `configureFailPoint` sets them. One table per member.
import { fail } from './errors.ts';
import { type Doc, isDoc, toNumber } from './values/types.ts';

type FailPoint = { name: string; data: Doc; times: number; skip: number; entered: number };

const KNOWN = new Set(['failCommand', 'failGetMoreAfterCursorCheckout', 'onPrimaryTransactionalWrite', 'maxTimeAlwaysTimeOut', 'maxTimeNeverTimeOut', 'rsSyncApplyStop']);

export class FailPoints {
  private readonly active = new Map<string, FailPoint>();

  configure(name: string, mode: unknown, data: unknown): number {
    if (!KNOWN.has(name)) throw fail('BadValue', `${name} is not a fail point of this test server`);
    const entered = this.active.get(name)?.entered ?? 0;
    if (mode === 'off') { this.active.delete(name); return entered; }
    const point: FailPoint = { name, data: isDoc(data) ? data : {}, times: Infinity, skip: 0, entered: 0 };
    if (isDoc(mode) && 'times' in mode) point.times = toNumber(mode['times']) ?? 0;
    else if (isDoc(mode) && 'skip' in mode) point.skip = toNumber(mode['skip']) ?? 0;
    else if (mode !== 'alwaysOn') throw fail('BadValue', `unknown fail point mode ${JSON.stringify(mode)}`);
    this.active.set(name, point);
    return entered;
  }

  // The data of a fail point that is on and meant here; counts the hit.
  enter(name: string, applies: (data: Doc) => boolean = () => true): Doc | null {
    const point = this.active.get(name);
    if (!point || !applies(point.data)) return null;
    if (point.skip > 0) { point.skip--; return null; }
    point.entered++;
    if (--point.times <= 0) this.active.delete(name);
    return point.data;
  }

  clear(): void {
    this.active.clear();
  }
}

type Asked = { command: string; appName: string | null; body: Doc };

// `namespace` narrows it to the commands on one collection.
export const failsCommand = (data: Doc, { command, appName, body }: Asked): boolean =>
  Array.isArray(data['failCommands']) && data['failCommands'].includes(command) && (data['appName'] === undefined || data['appName'] === appName)
  && (data['namespace'] === undefined || data['namespace'] === `${String(body['$db'])}.${String(body[command])}`);

/** What a store on SQLite is opened with, and what it takes where nothing is said. */
import type { Resource } from '../../../shared/contract/resource.ts';
import { storeLimits } from '../limits.ts';
import { fail, ignore, randomHex } from '../surroundings.ts';

export interface SqliteStoreOptions {
  readonly dataDir: string;
  readonly resources: Iterable<Resource>;
  /** Whether processes of the same declaration may open the same files beside this one; false unless said. */
  readonly isShared?: boolean;
  /** The most that the change log may take; `storeLimits.logBytesMax` unless said. */
  readonly logBytesMax?: number;
  /** Milliseconds of the epoch. */
  readonly clock?: () => number;
  /** That many random bytes, in hex. */
  readonly random?: (bytes: number) => string;
  readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  /** Called when the file is not ours any more: what is written from then on is lost. */
  readonly onFatal?: (error: Error) => void;
}

export type Surroundings = Required<Omit<SqliteStoreOptions, 'dataDir' | 'resources'>>;

export function toSurroundings(options: SqliteStoreOptions): Surroundings {
  return {
    isShared: options.isShared === true, logBytesMax: options.logBytesMax ?? storeLimits.logBytesMax, clock: options.clock ?? Date.now,
    random: options.random ?? randomHex,
    onWarning: options.onWarning ?? ignore, onFatal: options.onFatal ?? fail,
  };
}

/** How long what carries no request's deadline waits for others. */
export function untilOwn({ clock = Date.now }: Pick<SqliteStoreOptions, 'clock'>) {
  return { clock, deadline: clock() + storeLimits.ownWriteMsMax };
}

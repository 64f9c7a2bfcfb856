/** What the doctor is given, so that a test can break each part by itself. */
import type { Variables } from '../../shared/settings/reader.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import type { Settings } from '../settings.ts';

export interface Patient {
  /** The environment, with its files; not yet the secrets' own. */
  readonly variables: Variables;
  /** The root of the repository. */
  readonly project: string;
  /** This machine's clock, in milliseconds of the epoch. */
  readonly clock: () => number;
  /** What answers to the names of programs: the path, or `null`. */
  readonly which: (program: string) => string | null;
}

/** A patient whose settings were read; what is wrong with them is a finding of its own. */
export interface Read extends Patient {
  readonly settings: Settings;
  /** `undefined`: there is none that can be used. */
  readonly keys: readonly [HopKey, ...HopKey[]] | undefined;
}

/** No answer within this is none. */
const answerMsMax = 3_000;

/** `undefined`: nobody answers there. */
export async function asked(what: string | Request, init: RequestInit = {}): Promise<Response | undefined> {
  try {
    return await fetch(what, { redirect: 'manual', ...init, signal: AbortSignal.timeout(answerMsMax) });
  } catch {
    return undefined;
  }
}

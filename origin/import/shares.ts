/**
 * Imports under way in this process, by caller: nobody holds more than a share of what all need (SEMANTICS §10). An
 * entry is there only while an import of its caller runs. Callers without a name share one.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Principal } from '../../shared/wire/principal.ts';

export class ImportShares {
  readonly #running = new Map<string, number>();

  /** Takes a place, or throws; what it returns gives the place back, once. */
  mustTake({ subject = '' }: Principal): () => void {
    const running = this.#running.get(subject) ?? 0;
    if (running >= limits.importsPerCallerMax) {
      throw new Fault('limit_exceeded', {
        detail: `${limits.importsPerCallerMax} imports of one caller run at once`,
        headers: { 'retry-after': String(limits.importRetryAfterSeconds) },
      });
    }
    this.#running.set(subject, running + 1);
    let isHeld = true;
    return () => {
      if (isHeld) this.#giveBack(subject);
      isHeld = false;
    };
  }

  #giveBack(subject: string): void {
    const left = (this.#running.get(subject) ?? 1) - 1;
    if (left === 0) this.#running.delete(subject);
    else this.#running.set(subject, left);
  }
}

import { edgeLimits } from '../limits.ts';

/**
 * Retries are earned by requests, so that while an origin is down the edge adds a tenth to its load and not
 * as much again. A token bucket: https://sre.google/sre-book/handling-overload/
 */
export class RetryBudget {
  #saved: number = edgeLimits.retriesMax;

  earn(): void {
    this.#saved = Math.min(edgeLimits.retriesMax, this.#saved + edgeLimits.retriesPerRequest);
  }

  spend(): boolean {
    if (this.#saved < 1) return false;
    this.#saved -= 1;
    return true;
  }
}

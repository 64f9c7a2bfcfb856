/** The coordinator as one Durable Object: its storage is on disk, and each signed report counts once. */
import { DurableObject } from 'cloudflare:workers';
import type { Changes, Heard, ReportOutcome, SignedReport } from './changes.ts';
import { GenerationsCoordinator } from './coordinator.ts';

/** Nonces kept at most; some origins send five reports a second, and each nonce is kept for a minute. */
const noncesMax = 20_000;

export class Coordinator extends DurableObject {
  readonly #coordinator: GenerationsCoordinator;
  /**
   * Nonces are in memory alone: a report repeated after a restart raises nothing that is not raised, and an epoch that
   * was left is remembered on disk.
   */
  readonly #nonces = new Map<string, number>();

  constructor(state: DurableObjectState, bindings: unknown) {
    super(state, bindings as never);
    this.#coordinator = new GenerationsCoordinator(state.storage);
  }

  report({ report, nonce, expiresAt }: SignedReport): ReportOutcome {
    const now = Date.now();
    return this.#spend(nonce, expiresAt, now) ? this.#coordinator.report(report, now) : 'replayed';
  }

  changesSince(resource: string, heard: Heard | undefined): Changes {
    return this.#coordinator.changesSince(resource, heard, Date.now());
  }

  #spend(nonce: string, expiresAt: number, now: number): boolean {
    for (const [old, until] of this.#nonces) {
      if (until > now && this.#nonces.size < noncesMax) break;
      this.#nonces.delete(old);
    }
    if (this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, expiresAt);
    return true;
  }
}

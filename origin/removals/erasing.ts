/**
 * Erases, by and by, what is kept for a number of days that are over (due.ts). Each batch is found by an index, the oldest
 * first, and decided on the documents as they are there, so a crash leaves nothing half done and what was restored meanwhile
 * stays. Where processes share a database one of them does it at a time (lease.ts).
 *
 *   lease ──▶ a batch of a resource ──written whole──▶ the next batch
 *                 ▲                                        │ less than a batch is due, or some of it stays
 *                 └───────────── a rest ◀──────────────────┘
 */
import type { Resource } from '../../shared/contract/resource.ts';
import type { Context } from '../context.ts';
import { inStore } from '../documents/in-store.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import { pause } from '../pause.ts';
import type { ServiceState, Started } from '../services/services.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { ListRequest } from '../store/store.ts';
import { type Due, toMutation } from './due.ts';
import { messageOf } from '../../shared/message-of.ts';

const erasingLimits = {
  /** Erased in one transaction: a few milliseconds of the writer's time. */
  documentsAtOnce: 100,
  /** Days are kept to the minute. */
  restMs: 60_000,
  /** The time for a read, or a write, of a batch; then the next round tries again. */
  batchMsMax: 10_000,
} as const;

export interface ErasingOptions {
  onTrouble(message: string, cause: unknown): void;
  /** Tests give times of their own. */
  readonly leaseTimes?: LeaseTimes | undefined;
  readonly restMs?: number | undefined;
}

type Surroundings = Pick<Context, 'store' | 'now'>;

export function startErasing(due: readonly Due[], context: Surroundings, options: ErasingOptions): Started<void> {
  const erasing = new Erasing(due, context, options);
  const running = erasing.run();
  return {
    value: undefined, stop: () => (erasing.stop(), running), state: () => erasing.state,
    figures: () => ({ failures: erasing.failures }),
  };
}

class Erasing {
  /** Since the start. */
  failures = 0;
  readonly #due: readonly Due[];
  readonly #context: Surroundings;
  readonly #options: ErasingOptions;
  readonly #stop = new AbortController();
  /** By resource, of its last round. */
  readonly #troubles = new Map<string, string>();

  constructor(due: readonly Due[], context: Surroundings, options: ErasingOptions) {
    this.#due = due;
    this.#context = context;
    this.#options = options;
  }

  stop(): void {
    this.#stop.abort();
  }

  /** What is not erased yet is hidden all the same, so the process is ready. */
  get state(): ServiceState {
    const told = [...this.#troubles.values()];
    return { ready: true, ...(told.length === 0 ? {} : { detail: told.join('; ') }) };
  }

  /** Runs until it is stopped; never throws. */
  async run(): Promise<void> {
    const { store } = this.#context;
    const lease = store.isAlone ? undefined : new Lease(store, 'lease of erasing', this.#options.leaseTimes);
    while (!this.#stop.signal.aborted) {
      try {
        await (lease === undefined ? this.#rounds(this.#stop.signal) : lease.hold(this.#stop.signal, (held) => this.#rounds(held)));
      } catch (cause) {
        this.#fail('the lease', cause);
        await this.#rest(this.#stop.signal);
      }
    }
  }

  async #rounds(signal: AbortSignal): Promise<void> {
    this.#troubles.clear();
    while (!signal.aborted) {
      const failed = new Set<string>();
      for (const each of this.#due) if (!failed.has(each.name) && !(await this.#round(each, signal))) failed.add(each.name);
      await this.#rest(signal);
    }
  }

  /** Whether nothing went wrong. */
  async #round(due: Due, signal: AbortSignal): Promise<boolean> {
    try {
      while (!signal.aborted && (await this.#batch(inStore(this.#context.store, due.resource), due)));
      this.#troubles.delete(due.name);
      return true;
    } catch (cause) {
      this.#fail(due.name, cause);
      return false;
    }
  }

  /** Whether more may be due: all of a whole batch is erased. */
  async #batch(resource: Resource, due: Due): Promise<boolean> {
    const { store } = this.#context;
    const dueBefore = new Date(this.#context.now() - due.keptDays * dayMs).toISOString();
    const found = await store.list(resource, toRequest(due, dueBefore), this.#inTime());
    if (found.value.length === 0) return false;
    const mutations = found.value.map(({ document: { id } }) => toMutation(due, { resource, id }, dueBefore));
    const { outcomes } = await store.write(mutations, this.#inTime());
    mustNoneBeRefused(outcomes);
    return outcomes.length === erasingLimits.documentsAtOnce && outcomes.every((outcome) => outcome.kind === 'written' && outcome.before);
  }

  #inTime(): { readonly deadline: number } {
    return { deadline: Date.now() + erasingLimits.batchMsMax };
  }

  #rest(signal: AbortSignal): Promise<void> {
    return pause(this.#options.restMs ?? erasingLimits.restMs, signal);
  }

  #fail(what: string, cause: unknown): void {
    this.failures++;
    const trouble = `${what} is not erased: ${messageOf(cause)}`;
    this.#troubles.set(what, trouble);
    this.#options.onTrouble(trouble, cause);
  }
}

const dayMs = 86_400_000;

function toRequest({ at, equal }: Due, dueBefore: string): ListRequest {
  return {
    equal, range: { field: at, bounds: { lt: dueBefore } }, where: true, after: undefined, limit: erasingLimits.documentsAtOnce,
    sort: [{ field: at, descending: false }, { field: 'id', descending: false }],
  };
}

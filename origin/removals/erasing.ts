/**
 * Erases, by and by, what was removed longer ago than its resource keeps it (shared/contract/removal.ts). Each batch is found by
 * the index of removals, the oldest first, and decided on the documents as they are there, so a crash leaves nothing half done
 * and what was restored meanwhile stays. Where processes share a database one of them does it at a time (lease.ts).
 *
 *   lease ──▶ a batch of a resource ──written whole──▶ the next batch
 *                 ▲                                        │ less than a batch is due, or some of it stays
 *                 └───────────── a rest ◀──────────────────┘
 */
import { isRemoved, type Removal } from '../../shared/contract/removal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Context } from '../context.ts';
import { inStore } from '../documents/in-store.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import { pause } from '../pause.ts';
import type { ServiceState, Started } from '../services/services.ts';
import type { Decision, ListRequest, Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';

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

type Surroundings = Pick<Context, 'store' | 'contract' | 'now'>;

/** The resources of which something is erased. */
export function erasedOf({ contract }: Pick<Context, 'contract'>): readonly Resource[] {
  return [...contract.resources.values()].filter(({ removal }) => removal?.keptDays !== undefined);
}

export function startErasing(context: Surroundings, options: ErasingOptions): Started<void> {
  const erasing = new Erasing(context, options);
  const running = erasing.run();
  return {
    value: undefined, stop: () => (erasing.stop(), running), state: () => erasing.state,
    figures: () => ({ failures: erasing.failures }),
  };
}

class Erasing {
  /** Since the start. */
  failures = 0;
  readonly #context: Surroundings;
  readonly #options: ErasingOptions;
  readonly #stop = new AbortController();
  /** By resource, of its last round. */
  readonly #troubles = new Map<string, string>();

  constructor(context: Surroundings, options: ErasingOptions) {
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
    const lease = store.engine === 'sqlite' ? undefined : new Lease(store, 'lease of erasing', this.#options.leaseTimes);
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
      for (const resource of erasedOf(this.#context)) await this.#round(resource, signal);
      await this.#rest(signal);
    }
  }

  async #round(declared: Resource, signal: AbortSignal): Promise<void> {
    const { removal } = declared;
    if (removal?.keptDays === undefined) return;
    try {
      while (!signal.aborted && (await this.#batch(inStore(this.#context.store, declared), removal, removal.keptDays)));
      this.#troubles.delete(declared.name);
    } catch (cause) {
      this.#fail(declared.name, cause);
    }
  }

  /** Whether more may be due: all of a whole batch is erased. */
  async #batch(resource: Resource, removal: Removal, keptDays: number): Promise<boolean> {
    const { store } = this.#context;
    const dueBefore = new Date(this.#context.now() - keptDays * dayMs).toISOString();
    const found = await store.list(resource, toRequest(removal, dueBefore), this.#inTime());
    if (found.value.length === 0) return false;
    const mutations = found.value.map(({ document: { id } }): Mutation => ({
      resource, id, decide: (there) => toDecision(resource, removal, dueBefore, there),
    }));
    const { outcomes } = await store.write(mutations, this.#inTime());
    const refused = outcomes.find((outcome) => outcome.kind === 'refused');
    if (refused !== undefined) throw refused.fault;
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
    const trouble = `${what} is not erased: ${cause instanceof Error ? cause.message : String(cause)}`;
    this.#troubles.set(what, trouble);
    this.#options.onTrouble(trouble, cause);
  }
}

const dayMs = 86_400_000;

function toRequest({ at }: Removal, dueBefore: string): ListRequest {
  return {
    equal: {}, range: { field: at, bounds: { lt: dueBefore } }, where: true, after: undefined, limit: erasingLimits.documentsAtOnce,
    sort: [{ field: at, descending: false }, { field: 'id', descending: false }],
  };
}

/** Restored meanwhile, or removed once more, it is not due. */
function toDecision(resource: Resource, { at }: Removal, dueBefore: string, there: StoredDocument | undefined): Decision {
  const since = there !== undefined && isRemoved(resource, there.value) ? there.value[at] : undefined;
  return { kind: typeof since === 'string' && since < dueBefore ? 'remove' : 'keep' };
}

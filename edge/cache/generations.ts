/**
 * What this isolate knows of generations: the coordinator's last answer for each resource, believed for M
 * from the moment of asking (SEMANTICS §1). Past half of M it is asked again behind an answer, so that
 * steady traffic never waits; past M whoever needs it waits, until their own deadline at most.
 *
 *   ── ask ──▶ known ──½M──▶ known, asking ──M──▶ unknown until answered
 *              └── the feed was silent, or an origin declares the resource otherwise: unknown, asked again after M
 */
import type { Contract } from '../../shared/contract/contract.ts';
import type { Dependencies } from '../../shared/contract/dependencies.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { Changes, Heard, Served } from '../coordinator/changes.ts';
import { SingleFlight, settledWithin } from '../single-flight.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';

/** Generations of some buckets at one moment, copied: what is learned later must not change it. */
export interface View {
  /** Whether they may be believed now. If not, they are still lower bounds. */
  readonly known: boolean;
  /** Whether the origins last heard of declare the resources as this edge does (SEMANTICS §2). */
  readonly agreed: boolean;
  readonly epoch: string;
  readonly through: string;
  readonly generations: readonly string[];
}

export interface Asking {
  ask(resource: string, heard: Heard | undefined): Promise<Changes>;
  waitUntil(work: Promise<unknown>): void;
}

interface Memo {
  readonly changes: Changes;
  readonly raised: Map<number, string>;
  readonly askedAt: number;
  readonly agreed: boolean;
}

/** What this edge declares. */
type Own = Pick<Contract, 'digest' | 'reported'>;

export class Generations {
  readonly #memoMs: number;
  readonly #silentMs: number;
  readonly #own: Own;
  readonly #memos = new Map<string, Memo>();
  readonly #written = new Map<string, Position>();
  readonly #flights = new SingleFlight<void>(edgeLimits.askMsMax);
  #failedAt = 0;

  constructor({ memoMs, feedSilentMs }: { readonly memoMs: number; readonly feedSilentMs: number }, own: Own) {
    this.#memoMs = memoMs;
    this.#own = own;
    this.#silentMs = feedSilentMs;
  }

  /** `undefined` when there is no epoch to speak of: nothing can be stored, nothing is fresh. */
  async view(dependencies: Dependencies, asking: Asking): Promise<View | undefined> {
    const late = dependencies.filter(({ resource }) => this.#ageMs(resource) > this.#memoMs);
    if (late.length > 0) await Promise.all(late.map(({ resource }) => this.#asked(resource, asking)));
    return this.held(dependencies, asking);
  }

  /** The same without waiting: what is remembered now, known or not. */
  held(dependencies: Dependencies, asking: Asking): View | undefined {
    for (const { resource } of dependencies) if (this.#isAgeing(resource)) this.#ask(resource, asking);
    return this.peek(dependencies);
  }

  /** The same without asking anybody. */
  peek(dependencies: Dependencies): View | undefined {
    return dependencies.map(({ resource, buckets }) => this.#copy(this.#memos.get(resource), buckets)).reduce(together);
  }

  /** Notes that an effect on this resource was acknowledged through this isolate. */
  noteWrite(resource: string, position: Position): void {
    const known = this.#written.get(resource);
    if (known === undefined || !reaches(known, position)) this.#written.set(resource, position);
  }

  lastWrite(resource: string): Position | undefined {
    return this.#written.get(resource);
  }

  /** Whether the memo is past half of its time and nobody asks anew. */
  #isAgeing(resource: string): boolean {
    return this.#ageMs(resource) * 2 > this.#memoMs && !this.#flights.has(resource);
  }

  #ageMs(resource: string): number {
    const memo = this.#memos.get(resource);
    return memo === undefined ? Number.POSITIVE_INFINITY : ageMsOf(memo.askedAt);
  }

  async #asked(resource: string, asking: Asking): Promise<void> {
    const flying = this.#flights.join(resource);
    if (flying !== undefined) await flying;
    else await settledWithin(this.#ask(resource, asking), edgeLimits.askMsMax);
  }

  /** Never rejects: after a failure nothing is known, and for a moment nobody asks. */
  #ask(resource: string, { ask, waitUntil }: Asking): Promise<void> {
    if (ageMsOf(this.#failedAt) < edgeLimits.askAgainMs) return Promise.resolve();
    const started = this.#flights.start(resource, async () => {
      const askedAt = Date.now();
      try {
        this.#learn(resource, await ask(resource, heardOf(this.#memos.get(resource))), askedAt);
      } catch (cause) {
        this.#failedAt = Date.now();
        log('warn', 'generations.not_answered', { resource, cause: toLogged(cause) });
      }
    });
    waitUntil(started);
    return started;
  }

  #learn(resource: string, changes: Changes, askedAt: number): void {
    const memo = this.#memos.get(resource);
    // A question that was overtaken says nothing new; what it missed, the next one asks for again.
    if (memo !== undefined && memo.askedAt > askedAt && memo.askedAt <= Date.now()) return;
    const raised = memo === undefined || changes.whole ? new Map<number, string>() : memo.raised;
    for (const { bucket, order } of changes.buckets) raised.set(bucket, order);
    this.#memos.set(resource, { changes, raised, askedAt, agreed: isAgreed(resource, changes, this.#own) });
  }

  #copy(memo: Memo | undefined, buckets: readonly number[]): View | undefined {
    if (memo === undefined || memo.changes.epoch === null) return undefined;
    const { epoch, through, floor, ageMs } = memo.changes;
    const { agreed } = memo;
    const known = agreed && ageMs !== null && ageMs <= this.#silentMs && ageMsOf(memo.askedAt) <= this.#memoMs;
    return { known, agreed, epoch, through, generations: buckets.map((bucket) => later(memo.raised.get(bucket), floor)) };
  }
}

/** Of a moment that is yet to come, since the clock was set back, nobody can say how long it is ago. */
function ageMsOf(moment: number): number {
  const ageMs = Date.now() - moment;
  return ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs;
}

/** What holds of both; `undefined` where they are of two epochs, or nothing is known of one. */
function together(left: View | undefined, right: View | undefined): View | undefined {
  if (left === undefined || right === undefined || left.epoch !== right.epoch) return undefined;
  const { epoch } = left;
  const through = left.through < right.through ? left.through : right.through;
  return {
    known: left.known && right.known,
    agreed: left.agreed && right.agreed,
    epoch,
    through,
    generations: [...left.generations, ...right.generations],
  };
}

/** Whether every origin that counts declares the resource as we do; of one that did not say, whether its whole contract is ours. */
function isAgreed(resource: string, { contracts, digests }: Served, own: Own): boolean {
  const digest = own.reported.get(resource)?.digest;
  return contracts.every((contract) => contract === own.digest || (digest !== undefined && digests?.[contract] === digest));
}

function later(order: string | undefined, floor: string): string {
  return order !== undefined && order > floor ? order : floor;
}

function heardOf(memo: Memo | undefined): Heard | undefined {
  if (memo === undefined || memo.changes.epoch === null) return undefined;
  const { instance, revision, epoch } = memo.changes;
  return { instance, revision, epoch };
}

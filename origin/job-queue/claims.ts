/** Claims of ready jobs, queue by queue: which come next, within what is free in this process and what their queue's rate allows. */
import { jobs } from '../../shared/jobs/resource.ts';
import type { Position } from '../../shared/wire/position.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { FollowUp, ListRequest, Mutation, Store, Written } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { writeMsMax } from './attempt.ts';
import { atOnceMax, toNext } from './job-lists.ts';
import { claiming } from './job-writes.ts';
import type { Queue } from './job.ts';
import { allowedAt, starting, startsIn } from './queue-starts.ts';
import { jobIn } from './stored-job.ts';
import { type Found, TenantTurns } from './tenant-turns.ts';

export interface ClaimsOptions {
  readonly store: Store;
  readonly leaseMs: number;
  readonly isKnown: (name: string) => boolean;
  /** What this process has heard of, and reads after. */
  seen(): Position | undefined;
  onTrouble(message: string, cause: unknown): void;
}

export interface Lane {
  readonly name: string;
  /** So many attempts may begin there. */
  readonly places: number;
}

export interface Held extends Found {
  /** Names its claim. */
  readonly claim: string;
  /** At or after the claim's write. */
  readonly claimedAt: Position;
}

export interface Claimed {
  readonly jobs: readonly Held[];
  /** How many were ready, of as many as there are places for; `undefined`: there was none to look for. */
  readonly ready: number | undefined;
  /** When the rate of the queue allows more, in milliseconds of the epoch, where it allows none now. */
  readonly moreAtMs?: number;
}

export class Claims {
  readonly #options: ClaimsOptions;
  readonly #turns = new Map<string, TenantTurns>();

  constructor(options: ClaimsOptions) {
    this.#options = options;
  }

  /** Those of a queue without lanes; its tenants take turns. */
  async of(queue: Queue, places: number, nowMs: number): Promise<Claimed> {
    const { name, rate } = queue;
    let turns = this.#turns.get(name);
    if (turns === undefined) {
      const { onTrouble } = this.#options;
      turns = new TenantTurns(queue, (requests) => this.lists(requests), (cause) => onTrouble(`jobs: the share of queue "${name}"`, cause));
      this.#turns.set(name, turns);
    }
    const limit = Math.min(atOnceMax, places);
    if (limit <= 0) return nothing(undefined);
    const ready = await turns.next(limit);
    const claimed = rate === undefined ? await this.#claim(ready, nowMs) : await this.#claimWithin({ name, rate }, ready, nowMs);
    for (const each of claimed.jobs) turns.begun(each);
    return claimed;
  }

  /** Those of lanes, each of which is a tenant's by itself; with the names of those where something was ready. */
  async ofLanes(lanes: readonly Lane[], nowMs: number): Promise<Claimed & { readonly lively: readonly string[] }> {
    if (lanes.length === 0) return { ...nothing(undefined), lively: [] };
    const ready = (await this.lists(lanes.map(({ name, places }) => toNext(name, places)))).flat();
    return { ...(await this.#claim(ready, nowMs)), lively: [...new Set(ready.map(({ job: { queue } }) => queue))] };
  }

  async #claim(ready: readonly Found[], nowMs: number): Promise<Claimed> {
    if (ready.length === 0) return nothing(0);
    const claim = crypto.randomUUID();
    const { outcomes, position } = await this.#write(this.#claims(ready, claim, nowMs));
    const left = outcomes.flatMap((outcome) => (outcome.kind === 'written' && outcome.after !== undefined ? [outcome.after] : []));
    return { jobs: left.flatMap((document) => heldIn(document, claim, position)), ready: ready.length };
  }

  async #claimWithin({ name, rate }: Required<Pick<Queue, 'name' | 'rate'>>, ready: readonly Found[], nowMs: number): Promise<Claimed> {
    if (ready.length === 0) return nothing(0);
    const claim = crypto.randomUUID();
    const counted = starting({ queue: name, rate, nowMs }, this.#claims(ready, claim, nowMs));
    const { outcomes: [outcome], position } = await this.#write([counted]);
    const starts = outcome?.kind === 'written' ? outcome.after : undefined;
    const { value: found } = await this.#options.store.many(jobs, ready.map(({ id }) => id), { ...inTime(), atLeast: position });
    const claimed = new Map(found.flatMap((document) => heldIn(document, claim, position)).map((each) => [each.id, each]));
    const { free, moreAtMs } = allowedAt(nowMs, rate, startsIn(starts));
    return { ready: ready.length, jobs: ready.flatMap(({ id }) => claimed.get(id) ?? []), ...(free > 0 ? {} : { moreAtMs }) };
  }

  #claims(ready: readonly Found[], claim: string, nowMs: number): readonly FollowUp[] {
    const { leaseMs, isKnown } = this.#options;
    return ready.map(({ id }) => claiming({ id, claim, nowMs, leaseMs, isKnown }));
  }

  /** After all that this process has heard of. */
  async lists(requests: readonly ListRequest[]): Promise<readonly (readonly Found[])[]> {
    const seen = this.#options.seen();
    const { value } = await this.#options.store.lists(jobs, requests, { ...inTime(), ...(seen === undefined ? {} : { atLeast: seen }) });
    return value.map((rows) => rows.map(({ document }) => ({ id: document.id, job: jobIn(document) })));
  }

  async #write(mutations: readonly Mutation[]): Promise<Written> {
    const written = await this.#options.store.write(mutations, inTime());
    mustNoneBeRefused(written.outcomes);
    return written;
  }
}

function nothing(ready: number | undefined): Claimed {
  return { jobs: [], ready };
}

function heldIn(document: StoredDocument, claim: string, claimedAt: Position): readonly Held[] {
  const job = jobIn(document);
  return job.state === 'running' && job.claim === claim ? [{ id: document.id, job, claim, claimedAt }] : [];
}

/** The time for a read or a write of a worker. */
export function inTime(): { readonly deadline: number } {
  return { deadline: Date.now() + writeMsMax };
}

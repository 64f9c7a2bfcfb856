/**
 * Which ready jobs of a queue begin next: those of the greatest priority, of which tenants take turns, and of a tenant those that
 * were ready first. However many jobs a tenant has, another one's wait for a turn of it.
 *
 * The index is walked from tenant to tenant, a page at each, from behind the one whose turn was the last: jobs that stand behind
 * others of their tenant are not read. Where the last turn ended this process alone knows: each takes turns by itself.
 */
import { jobLimits } from '../../shared/jobs/limits.ts';
import type { StoredJob } from '../../shared/jobs/resource.ts';
import { compareSortValues, toSortValue } from '../../shared/wire/values.ts';
import type { ListRequest } from '../store/store.ts';
import type { Queue } from './job.ts';
import { afterTenant, beforeTenant, toNext } from './job-lists.ts';

export interface Found {
  readonly id: string;
  readonly job: StoredJob;
}

type Tenant = string | undefined;

interface Turn {
  readonly tenant: Tenant;
  /** Jobs that have begun in it. */
  readonly begun: number;
}

/** Several lists in one read. */
export type Lists = (requests: readonly ListRequest[]) => Promise<readonly (readonly Found[])[]>;

export class TenantTurns {
  readonly #queue: Queue;
  readonly #lists: Lists;
  readonly #onTrouble: (cause: unknown) => void;
  /** The last turn of each priority. */
  readonly #turns = new Map<number, Turn>();
  /** Of the job that began last: mostly that of the next one. */
  #priority = 0;
  #isTold = false;

  /** `onTrouble`: told once what the queue's `share` throws. */
  constructor(queue: Queue, lists: Lists, onTrouble: (cause: unknown) => void) {
    this.#queue = queue;
    this.#lists = lists;
    this.#onTrouble = onTrouble;
  }

  /** At most `limit`, in the order in which they are to begin; none where nothing is ready. */
  async next(limit: number): Promise<readonly Found[]> {
    const guess = this.#placeOf(this.#priority);
    const [front = [], guessed] = await this.#lists([
      toNext(this.#queue.name, limit), ...(guess === undefined ? [] : [{ ...toNext(this.#queue.name, limit), after: guess }]),
    ]);
    const classes = [...Map.groupBy(front, ({ job }) => job.priority)];
    const [[priority, first] = [0, []]] = classes;
    if (first.length === limit) {
      const begins = priority === this.#priority ? guessed : await this.#page(priority, limit, this.#placeOf(priority));
      return this.#deal(priority, await this.#walk(priority, front, begins)).slice(0, limit);
    }
    // The last priority of a full page may have tenants that it does not show.
    const shown = front.length === limit ? classes.slice(0, -1) : classes;
    return shown.flatMap(([each, found]) => this.#deal(each, found)).slice(0, limit);
  }

  /** It has begun, after those that `next` gave before it. */
  begun({ job: { priority, tenant } }: Found): void {
    const last = this.#turns.get(priority);
    const goesOn = last !== undefined && last.tenant === tenant && !this.#isOver(last);
    this.#turns.set(priority, { tenant, begun: goesOn ? last.begun + 1 : 1 });
    this.#priority = priority;
  }

  /**
   * More jobs of a priority than `front` shows, of as many tenants as there are places, or as a few pages tell of. `begins`: the page
   * behind the last turn, of whatever priority.
   */
  async #walk(priority: number, front: readonly Found[], begins: readonly Found[] = []): Promise<readonly Found[]> {
    const limit = front.length;
    const last = this.#turns.get(priority);
    const tenants = new Set<Tenant>();
    const found = new Map<string, Found>();
    const behind = begins.filter(({ job }) => job.priority === priority);
    let page = behind.length === 0 ? front : behind;
    let isPastEnd = page === front;
    for (let pages = 1; pages <= jobLimits.turnPagesMax && tenants.size < limit; pages++) {
      if (isPastEnd && tenants.has(page[0]?.job.tenant)) break;
      const whole = withoutCut(page, limit);
      for (const each of whole) found.set(each.id, each);
      for (const { job: { tenant } } of whole) tenants.add(tenant);
      const isEnd = page.length < limit;
      // Behind the last turn all is known by then; its own tenant was perhaps the first that was met.
      const isRound = isPastEnd && last !== undefined && whole.some(({ job: { tenant } }) => compareTenants(tenant, last.tenant) >= 0);
      if (isRound || (isEnd && isPastEnd)) break;
      isPastEnd ||= isEnd;
      const after = afterTenant(priority, whole.at(-1)?.job.tenant);
      page = isEnd ? front : await this.#page(priority, limit, after);
    }
    return [...found.values()];
  }

  async #page(priority: number, limit: number, after: ListRequest['after']): Promise<readonly Found[]> {
    if (after === undefined) return [];
    const [found = []] = await this.#lists([{ ...toNext(this.#queue.name, limit), after }]);
    return found.filter(({ job }) => job.priority === priority);
  }

  /** Where the jobs of its next turn stand; `undefined`: there was none. */
  #placeOf(priority: number): ListRequest['after'] {
    const last = this.#turns.get(priority);
    return last === undefined ? undefined : (this.#isOver(last) ? afterTenant : beforeTenant)(priority, last.tenant);
  }

  /** By turns; the first goes on with the turn that was the last, where that is not over. */
  #deal(priority: number, found: readonly Found[]): readonly Found[] {
    const last = this.#turns.get(priority);
    const goesOn = last !== undefined && !this.#isOver(last);
    const isBehind = (tenant: Tenant) => last === undefined || compareTenants(tenant, last.tenant) > (goesOn ? -1 : 0);
    const tenants = [...Map.groupBy(found, ({ job: { tenant } }) => tenant)].toSorted(([a], [b]) => compareTenants(a, b));
    const inTurn = [...tenants.filter(([tenant]) => isBehind(tenant)), ...tenants.filter(([tenant]) => !isBehind(tenant))];
    const left = inTurn.map(([tenant, jobs]) => ({ tenant, jobs: [...jobs] }));
    const dealt: Found[] = [];
    let begun = goesOn && left[0]?.tenant === last.tenant ? last.begun : 0;
    while (dealt.length < found.length) {
      for (const { tenant, jobs } of left) {
        dealt.push(...jobs.splice(0, this.#share(tenant) - begun));
        begun = 0;
      }
    }
    return dealt;
  }

  #isOver({ tenant, begun }: Turn): boolean {
    return begun >= this.#share(tenant);
  }

  /** At least one, whatever is declared: a tenant without a turn would wait for ever. */
  #share(tenant: Tenant): number {
    const share = Math.floor(this.#declaredShare(tenant) ?? 1);
    return Math.min(Math.max(1, Number.isNaN(share) ? 1 : share), jobLimits.shareMax);
  }

  /** `undefined`: none, or it throws, which holds up nobody. */
  #declaredShare(tenant: Tenant): number | undefined {
    try {
      return this.#queue.share?.(tenant);
    } catch (cause) {
      if (!this.#isTold) this.#onTrouble(cause);
      this.#isTold = true;
      return undefined;
    }
  }
}

/** A page may end amid the jobs of a tenant, of whom more are read at its turn; one that shows a single tenant shows enough. */
function withoutCut(page: readonly Found[], size: number): readonly Found[] {
  const cut = page.at(-1)?.job.tenant;
  return page.length < size || page[0]?.job.tenant === cut ? page : page.filter(({ job: { tenant } }) => tenant !== cut);
}

/** In the order of the index, where those without a tenant are first. */
function compareTenants(left: Tenant, right: Tenant): number {
  return compareSortValues(toSortValue(left, 'string'), toSortValue(right, 'string'));
}

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

export class TenantTurns {
  readonly #queue: Queue;
  readonly #list: (request: ListRequest) => Promise<readonly Found[]>;
  /** The last turn of each priority. */
  readonly #turns = new Map<number, Turn>();

  constructor(queue: Queue, list: (request: ListRequest) => Promise<readonly Found[]>) {
    this.#queue = queue;
    this.#list = list;
  }

  /** At most `limit`, in the order in which they are to begin; none where nothing is ready. */
  async next(limit: number): Promise<readonly Found[]> {
    const front = await this.#list(toNext(this.#queue.name, limit));
    const classes = [...Map.groupBy(front, ({ job }) => job.priority)];
    const [[priority, first] = [0, []]] = classes;
    if (first.length === limit) return this.#deal(priority, await this.#walk(priority, first)).slice(0, limit);
    // The last priority of a full page may have tenants that it does not show.
    const shown = front.length === limit ? classes.slice(0, -1) : classes;
    return shown.flatMap(([each, found]) => this.#deal(each, found)).slice(0, limit);
  }

  /** It has begun, after those that `next` gave before it. */
  begun({ job: { priority, tenant } }: Found): void {
    const last = this.#turns.get(priority);
    const goesOn = last !== undefined && last.tenant === tenant && !this.#isOver(last);
    this.#turns.set(priority, { tenant, begun: goesOn ? last.begun + 1 : 1 });
  }

  /** More jobs of a priority than a page shows, of as many tenants as there are places, or as a few pages tell of. */
  async #walk(priority: number, front: readonly Found[]): Promise<readonly Found[]> {
    const limit = front.length;
    const pageAfter = async (after: ListRequest['after']) =>
      (await this.#list({ ...toNext(this.#queue.name, limit), after })).filter(({ job }) => job.priority === priority);
    const last = this.#turns.get(priority);
    const goesOn = last !== undefined && !this.#isOver(last);
    const begins = last === undefined ? front : await pageAfter((goesOn ? beforeTenant : afterTenant)(priority, last.tenant));
    const tenants = new Set<Tenant>();
    const found = new Map<string, Found>();
    let page = begins;
    let isPastEnd = page === front;
    for (let pages = 1; pages <= jobLimits.turnPagesMax && tenants.size < limit; pages++) {
      if (isPastEnd && tenants.has(page[0]?.job.tenant)) break;
      const whole = withoutCut(page, limit);
      for (const each of whole) found.set(each.id, each);
      for (const { job: { tenant } } of whole) tenants.add(tenant);
      const isEnd = page.length < limit;
      if (isEnd && isPastEnd) break;
      isPastEnd ||= isEnd;
      page = isEnd ? front : await pageAfter(afterTenant(priority, whole.at(-1)?.job.tenant));
    }
    return [...found.values()];
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
    const share = Math.floor(this.#queue.share?.(tenant) ?? 1);
    return Math.min(Math.max(1, Number.isNaN(share) ? 1 : share), jobLimits.shareMax);
  }
}

/** A page may end amid the jobs of a tenant, of whom more are read at its turn; one that shows a single tenant shows enough. */
function withoutCut(page: readonly Found[], limit: number): readonly Found[] {
  const cut = page.at(-1)?.job.tenant;
  return page.length < limit || page[0]?.job.tenant === cut ? page : page.filter(({ job: { tenant } }) => tenant !== cut);
}

/** In the order of the index, where those without a tenant are first. */
function compareTenants(left: Tenant, right: Tenant): number {
  return compareSortValues(toSortValue(left, 'string'), toSortValue(right, 'string'));
}

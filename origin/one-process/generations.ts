/**
 * Generations in this process's memory, by the rules of `edge/coordinator/generations-table.ts`: a restart forgets them with the
 * answers that they are about. A busy report raises hundreds of buckets, each of which costs a row where there is SQLite.
 */
import type { Changes, Heard, Served } from '../../edge/coordinator/changes.ts';
import { type GenerationsKeeper, joins, retiredMs, type Standing } from '../../edge/coordinator/generations-table.ts';
import type { Report } from '../../shared/hop/purge-report.ts';

interface Raised {
  readonly order: string;
  readonly revision: number;
}

interface OfResource {
  /** Nothing is known of single buckets of it up to here. */
  floor: string;
  /** Of the last raise. */
  revision: number;
  readonly buckets: Map<number, Raised>;
}

export class GenerationsInMemory implements GenerationsKeeper {
  #standing: Standing = { instance: crypto.randomUUID(), revision: 0, epoch: null, through: '', floor: '' };
  readonly #resources = new Map<string, OfResource>();
  /** Epochs that were left, until when they are not returned to. */
  readonly #retired = new Map<string, number>();

  standing(): Standing {
    return this.#standing;
  }

  apply(report: Report, nowMs: number): boolean {
    for (const [epoch, untilMs] of this.#retired) if (untilMs <= nowMs) this.#retired.delete(epoch);
    const { epoch, from, through } = report;
    if (!joins(this.#standing, report, () => this.#retired.has(epoch))) return false;
    if (epoch !== this.#standing.epoch) this.#begin(report, nowMs);
    else if (from === null) this.#raiseAll(through);
    const revision = this.#standing.revision + 1;
    for (const [resource, order] of Object.entries(report.whole)) raiseTo(this.#of(resource), order);
    for (const [resource, buckets] of Object.entries(report.raised)) raise(this.#of(resource), buckets, revision);
    this.#standing = { ...this.#standing, revision, through: later(this.#standing.through, through) };
    return true;
  }

  changesSince(resource: string, heard: Heard | undefined): Omit<Changes, 'ageMs' | keyof Served> {
    const { instance, revision, epoch, through, floor: floorOfAll } = this.#standing;
    const own = this.#resources.get(resource);
    const floor = later(own?.floor ?? '', floorOfAll);
    const continues = heard !== undefined && heard.instance === instance && heard.epoch === epoch;
    const since = continues ? heard.revision : -1;
    const buckets = own === undefined || own.revision <= since ? [] : [...own.buckets].flatMap(([bucket, raised]) =>
      raised.revision > since && raised.order > floor ? [{ bucket, order: raised.order }] : []);
    return { epoch, instance, revision, through, floor, whole: !continues, buckets };
  }

  #begin({ epoch, through }: Report, nowMs: number): void {
    if (this.#standing.epoch !== null) this.#retired.set(this.#standing.epoch, nowMs + retiredMs);
    this.#resources.clear();
    this.#standing = { ...this.#standing, epoch, through, floor: through };
  }

  #raiseAll(order: string): void {
    this.#standing = { ...this.#standing, floor: later(this.#standing.floor, order) };
    for (const own of this.#resources.values()) forget(own, order);
  }

  #of(resource: string): OfResource {
    let own = this.#resources.get(resource);
    if (own === undefined) this.#resources.set(resource, (own = { floor: '', revision: -1, buckets: new Map() }));
    return own;
  }
}

function raiseTo(own: OfResource, order: string): void {
  own.floor = later(own.floor, order);
  forget(own, order);
}

function raise(own: OfResource, buckets: Report['raised'][string], revision: number): void {
  own.revision = revision;
  for (const name in buckets) {
    const bucket = Number(name);
    const order = buckets[name] ?? '';
    const standing = own.buckets.get(bucket);
    if (standing === undefined || order > standing.order) own.buckets.set(bucket, { order, revision });
  }
}

/** Of what is not later, nothing single need be known. */
function forget({ buckets }: OfResource, order: string): void {
  for (const [bucket, raised] of buckets) if (raised.order <= order) buckets.delete(bucket);
}

function later(left: string, right: string): string {
  return left > right ? left : right;
}

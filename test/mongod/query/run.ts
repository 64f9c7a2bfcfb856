// Runs a plan over one member's collection as a reader sees it, counting what it touches.
import { fail } from '../errors.ts';
import type { Collection } from '../storage/collection.ts';
import { type StoredRecord, type View, visible } from '../storage/records.ts';
import type { Collation } from '../values/collation.ts';
import type { Doc } from '../values/types.ts';
import type { Test } from './match.ts';
import type { Plan, Scan } from './plan.ts';
import { type SortField, sortDocs, sortKey } from './sort.ts';

export type Hit = { record: StoredRecord; doc: Doc };

export type Counters = { keys: number; docs: number; matched: number; sorted: boolean; sortedDocs: number };

// What all queries of one member have touched, and how many walked a collection without an index, as serverStatus tells it; a restart does not begin anew.
export type Examined = { keys: number; docs: number; collectionScans: number };

export type Run = {
  collection: Collection;
  view: View;
  plan: Plan;
  test: Test;
  sort: readonly SortField[];
  collation: Collation | null;
  counters: Counters;
  examined: Examined;
  tick(): void; // throws when the operation's time is over or it was killed
};

export const newCounters = (): Counters => ({ keys: 0, docs: 0, matched: 0, sorted: false, sortedDocs: 0 });

const SORT_BYTES_GUARD = 1_000_000; // documents; a sort in memory larger than any test means

export function* runPlan(run: Run): Generator<Hit> {
  const ordered = run.sort.length === 0 || run.sort[0]?.path === '$natural' || ('sorted' in run.plan && run.plan.sorted) || run.plan.kind === 'id';
  if (ordered) { yield* matching(run); return; }
  run.counters.sorted = true;
  const hits = [...matching(run)];
  run.counters.sortedDocs = hits.length;
  if (hits.length > SORT_BYTES_GUARD) throw fail('QueryExceededMemoryLimitNoDiskUseAllowed', 'Executor error during find command :: caused by :: Sort exceeded memory limit');
  yield* sortDocs(hits, hit => hit.doc, run.sort, run.collation);
}

function* matching(run: Run): Generator<Hit> {
  let steps = 0;
  for (const hit of candidates(run)) {
    if ((++steps & 127) === 0) run.tick();
    run.counters.docs++;
    run.examined.docs++;
    if (!run.test(hit.doc)) continue;
    run.counters.matched++;
    yield hit;
  }
}

function candidates(run: Run): Iterable<Hit> {
  const { plan } = run;
  switch (plan.kind) {
    case 'id': return byId(run, plan.key);
    case 'collection': return walkAll(run, plan.reverse);
    case 'empty': return [];
    case 'or': return plan.sorted ? merged(run, plan.scans.flatMap(apart)) : union(run, plan.scans);
    case 'index': return plan.merge ? merged(run, apart(plan.scan)) : union(run, [plan.scan]);
  }
}

const apart = (scan: Scan): Scan[] => scan.ranges.map(range => ({ ...scan, ranges: [range] }));

function* byId({ collection, view, counters, examined }: Run, key: string): Generator<Hit> {
  const record = collection.find(key, view);
  const doc = record && visible(record, view);
  if (!record || !doc) return;
  counters.keys++;
  examined.keys++;
  yield { record, doc };
}

function* walkAll({ collection, view, examined }: Run, reverse: boolean): Generator<Hit> {
  examined.collectionScans++;
  const records = reverse ? [...collection.records.values()].reverse() : collection.records.values();
  for (const record of records) {
    const doc = visible(record, view);
    if (doc) yield { record, doc };
  }
}

function* union(run: Run, scans: Scan[]): Generator<Hit> {
  const [only] = scans;
  const repeats = scans.length > 1 || (only && only.index.multikeyPaths.size > 0) ? new Set<number>() : null;
  for (const scan of scans) {
    for (const hit of scanIndex(run, scan)) {
      if (repeats?.has(hit.record.id)) continue;
      repeats?.add(hit.record.id);
      yield hit;
    }
  }
}

function* scanIndex({ collection, view, counters, examined }: Run, { index, ranges, reverse }: Scan): Generator<Hit> {
  index.accesses++;
  for (const { low, high } of ranges) {
    for (const { key, id } of index.entries.walk(low, high, reverse)) {
      const record = collection.records.get(id);
      const doc = record ? visible(record, view) : null;
      if (!record || !doc) continue;
      // An older or uncommitted version may own this key, and not the one that this reader sees.
      if ((record.head?.older || record.pending) && !index.keysOf(doc).includes(key)) continue;
      counters.keys++;
      examined.keys++;
      yield { record, doc };
    }
  }
}

// Scans that each give the order, merged: the next document is the least of their heads.
function* merged(run: Run, scans: Scan[]): Generator<Hit> {
  const seen = new Set<number>();
  const heads = scans.map(scan => ({ walk: scanIndex(run, scan), key: '', hit: null as Hit | null }));
  const advance = (head: (typeof heads)[number]): void => {
    const step = head.walk.next();
    head.hit = step.done ? null : step.value;
    head.key = head.hit ? sortKey(head.hit.doc, run.sort, run.collation) : '';
  };
  heads.forEach(advance);
  for (;;) {
    let best: (typeof heads)[number] | null = null;
    for (const head of heads) if (head.hit && (!best || head.key < best.key)) best = head;
    if (!best?.hit) return;
    const { hit } = best;
    if (!seen.has(hit.record.id)) { seen.add(hit.record.id); yield hit; }
    advance(best);
  }
}

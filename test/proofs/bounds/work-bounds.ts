/**
 * What each kind of read looks into among many documents (SEMANTICS §6), counted and not timed: on MongoDB what the server says
 * that it examined, where it must have an index to walk, on SQLite the pages that are read while none is in memory.
 */
import { limits } from '../../../shared/wire/limits.ts';
import type { DirectAsking, DocumentOperation } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import type { Engine } from '../../support/whole-world.ts';
import { CountedStore, type Look, ofOneKind, toId, toKind, toPlace } from './counted-store.ts';

/** Documents of a page. */
const limit = 20;
/** Values of an `in`, of as many kinds. */
const valuesOfIn = 3;
/** Entries of a walk that are read and not shown: what waits in a merge, what is behind a skip, what ends it. */
const besides = 4;
/** Entries of one read of a loose walk (distinct.ts). */
const ofLooseRead = 8;
/** A document stands in a page of its own, maybe below another of its own, and its entries in some; to look takes some too. */
const [pagesOfEntry, pagesOfLook] = [2.5, 20];
/** Below the root of an index, which its walks share: among 100 000 entries it has three levels. */
const pagesOfWalk = 2;
/** Each question is put again, since other work of the store adds to what is counted: the least is its own. */
const askedEach = 3;

interface Question {
  readonly operation: DocumentOperation;
  /** Entries of indexes, or documents, whichever are more. */
  readonly examinedMax: number;
  /** Walks of an index beside the question's own, each to an entry that is anywhere in it: what is found there has its pages besides. */
  readonly furtherWalks?: number;
  /** About the document of this number. */
  toAsking(number: number): DirectAsking;
}

const list = (filter: (number: number) => string, examinedMax = limit + besides): Question => ({
  operation: 'list', examinedMax, toAsking: (number) => ({ query: `?${filter(number)}&limit=${limit}` }),
});
const ofKind = (more: string, examinedMax?: number) => list((number) => `kind=${toKind(number)}${more}`, examinedMax);
const wholeKind = (operation: DocumentOperation, more: string): Question => ({
  operation, examinedMax: ofOneKind + besides, toAsking: (number) => ({ query: `?kind=${toKind(number)}${more}` }),
});
const kindsFrom = (number: number) => Array.from({ length: valuesOfIn }, (_, at) => toKind(number + at * ofOneKind)).join();

const questions: Readonly<Record<string, Question>> = {
  'get': { operation: 'get', examinedMax: 1, toAsking: (number) => ({ id: toId(number) }) },
  'list': ofKind(''),
  'list by an array': list(() => 'tags=all'),
  'range': ofKind('&rank[gte]=50'),
  'prefix': list((number) => `title[prefix]=${toKind(number)}`),
  // By entries, which lead to documents.
  'folded prefix': list((number) => `name[prefix]=ELAN+${toKind(number)}`, 2 * (limit + besides)),
  'in': list((number) => `kind[in]=${kindsFrom(number)}`, valuesOfIn * (limit + besides)),
  'beside': ofKind('&size[ne]=3', ofOneKind + besides),
  'last page': ofKind('&page=last'),
  'exact count': ofKind('&count=exact', ofOneKind + limit + 2 * besides),
  'estimated count': list(() => 'count=estimated', limits.estimatedCountMax + limit + 2 * besides),
  'distinct': list(() => 'distinct=kind', limit * ofLooseRead),
  'expand': ofKind('&expand=next', 2 * (limit + besides)),
  // Each is the next of one, which is found by a walk for each document of the page.
  'expand many': { ...ofKind('&expand=previous', 2 * (limit + besides)), furtherWalks: limit },
  // Which of two words is the rarer is counted, to a thousand each.
  'text': list((number) => `q=${toKind(number)}+thing`, 3 * limits.textExaminedMax),
  'near': list((number) => `near=${toPlace(number).join()}&distance=30000`, limits.placesExaminedMax),
  'within': list((number) => `within=${toBox(number)}`, limits.placesExaminedMax),
  'aggregate': wholeKind('aggregate', '&group=size&avg=rank'),
  'export': wholeKind('export', ''),
};

/** Half a degree wide and high. */
function toBox(number: number): string {
  const [west, south] = toPlace(number);
  return [west, south, west + 0.5, south + 0.5].join();
}

const wholeMin = 1_000;

export interface Looks {
  readonly engine: Engine;
  readonly documents: number;
  /** Of each kind of read the most: entries or documents on MongoDB, pages on SQLite. */
  readonly looked: Readonly<Record<string, number>>;
  /** Of each kind every question that is put to a smaller store too: how much a place takes hangs on where cells of the map end near it. */
  readonly shared: Readonly<Record<string, readonly number[]>>;
  /** The kinds of read that walked a collection by no index, on MongoDB. */
  readonly withoutIndex: readonly string[];
  /** Of an export of all, which is cut where it takes too long: a thousand or more, where looks are counted at all. */
  readonly whole: number;
}

interface Asked {
  readonly seed: number;
  /** How many documents each kind of read is asked about: every second of them one that the smaller store has too. */
  readonly questionsEach: number;
  /** Documents of the smaller store; this one, unless said. */
  readonly few?: number;
}

export async function looksOf(engine: Engine, documents: number, { seed, questionsEach, few = documents }: Asked): Promise<Looks> {
  const [ofFew, ofAll] = [new Random(seed), new Random(seed + 1)];
  await using store = await CountedStore.on(engine, documents);
  const looked: Record<string, number> = {};
  const shared: Record<string, readonly number[]> = {};
  const withoutIndex: string[] = [];
  for (const [name, { operation, toAsking }] of Object.entries(questions)) {
    const leasts: Look[] = [];
    for (let question = 0; question < questionsEach; question++) {
      // From 5 000 documents on, what is around each place of the first half is the same in both.
      const number = question % 2 === 0 ? ofFew.below(few / 2) : ofAll.below(documents - valuesOfIn * ofOneKind);
      const asking = toAsking(number);
      const again: Look[] = [];
      for (let asked = 0; asked < askedEach; asked++) again.push(await store.looked(operation, asking));
      leasts.push({ examined: least(again, 'examined'), collectionScans: least(again, 'collectionScans') });
    }
    const examined = leasts.map((look) => look.examined);
    looked[name] = Math.max(...examined);
    shared[name] = examined.filter((_, question) => question % 2 === 0);
    if (leasts.some(({ collectionScans }) => collectionScans > 0)) withoutIndex.push(name);
  }
  const { examined: whole } = await store.looked('export', { query: '?fields=kind' });
  return { engine, documents, looked, shared, withoutIndex, whole };
}

function least(looks: readonly Look[], counted: keyof Look): number {
  return Math.min(...looks.map((look) => look[counted]));
}

/** The kinds of read that looked into more than they may, or walked a collection. */
export function tooManyLooks({ engine, documents, looked, withoutIndex, whole }: Looks): readonly string[] {
  if (whole < wholeMin) return [`${engine}: an export of ${documents} documents is counted as ${whole} looks`];
  const walked = withoutIndex.map((name) => `${engine}, ${name}: walked a collection of ${documents} documents by no index`);
  const tooMany = Object.entries(questions).flatMap(([name, { examinedMax, furtherWalks = 0 }]) => {
    const max = engine === 'mongodb' ? examinedMax : examinedMax * pagesOfEntry + furtherWalks * pagesOfWalk + pagesOfLook;
    const count = looked[name] ?? Number.POSITIVE_INFINITY;
    return count <= max ? [] : [`${engine}, ${name}: looked ${count} times among ${documents} documents, ${max} at most`];
  });
  return [...walked, ...tooMany];
}

/** Half as many more, for the levels of an index and where a document stands; a few looks are none. */
const [growthMax, looksFew] = [1.5, 10];

/** Of each kind of read the most times as many looks that one question has in the larger store. */
export function timesAsMany(few: Looks, many: Looks): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(many.shared).map(([name, counts]) => {
    const times = counts.map((count, at) => count / Math.max(few.shared[name]?.[at] ?? 0, 1));
    return [name, Math.round(Math.max(...times) * 100) / 100];
  }));
}

/** The questions that look into more among more documents. */
export function grownLooks(few: Looks, many: Looks): readonly string[] {
  return Object.entries(many.shared).flatMap(([name, counts]) => counts.flatMap((count, at) => {
    const before = few.shared[name]?.[at] ?? 0;
    return count <= before * growthMax + looksFew ? [] : [
      `${many.engine}, ${name}: looked ${count} times among ${many.documents} documents, ${before} times among ${few.documents}`,
    ];
  }));
}

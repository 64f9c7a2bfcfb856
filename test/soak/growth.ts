/**
 * What a read costs among a hundred times as many documents (SEMANTICS §6): stores of one shape and different sizes, each
 * question put to all of them in turn within every round. What a question finds is as much in each.
 */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { type Resource, resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { integer } from '../../shared/contract/types.ts';
import { storeLimits } from '../../origin/store/limits.ts';
import { median } from '../bench/rounds.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin, type DocumentOperation } from '../support/direct-origin.ts';
import { eventually } from '../support/eventually.ts';
import { Random } from '../support/random.ts';
import type { Budget, Outcome } from './parts.ts';

/** Documents that have one value of `kind`. */
const ofOneKind = 100;
const writtenAtOnce = 1_000;
const rounds = 11;
const askedEach = 30;
const pageLimit = 20;
const farPage = 10_000;
/** Of a get and a list, of what looks into more documents for one answer, and of a page far behind. */
const bounds = { growth: 1.3, ofMore: 1.5, farPage: 1.2 } as const;

const shapes = { all: {}, byKind: { equal: ['kind'], range: 'rank', sort: ['-rank'], beside: ['size'] } } as const;
const declaration = {
  name: 'things', id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({ kind: z.string(), rank: integer(), size: integer(), title: z.string() }),
  rules: { read: anyone, write: anyone },
  aggregates: { ofKind: { equal: ['kind'], group: ['size'], of: ['rank'] } },
} as const;
const plain = resource({ ...declaration, shapes });
const searched = resource({ ...declaration, shapes: { ...shapes, byText: { text: ['title'], sort: ['-rank'] } } });

interface Question {
  readonly name: string;
  readonly operation: DocumentOperation;
  toAsking(number: number): DirectAsking;
}

const questions: readonly Question[] = [
  { name: 'get', operation: 'get', toAsking: (number) => ({ id: toId(number) }) },
  listOf('list', (kind) => `kind=${kind}`),
  listOf('list within a range', (kind) => `kind=${kind}&rank[gte]=50`),
  listOf('last page', (kind) => `kind=${kind}&page=last`),
  listOf('exact count', (kind) => `kind=${kind}&count=exact`),
  listOf('beside the index', (kind) => `kind=${kind}&size[ne]=3`),
  { name: 'aggregate', operation: 'aggregate', toAsking: (number) => ({ query: `?kind=${toKind(number)}&group=size&avg=rank` }) },
];
const searches: readonly Question[] = [listOf('text', (kind) => `q=thing+${kind}`)];

/** How many times as long each question takes in the largest store as in the smallest. */
export async function growth({ seed }: Budget): Promise<Outcome> {
  const factors = {
    ...(await compare({ resource: plain, sizes: [10_000, 1_000_000], questions, seed })),
    ...(await compare({ resource: searched, sizes: [1_000, 100_000], questions: searches, seed })),
  };
  const far = await farPageFactor();
  const boundOf = (name: string) => (name === 'get' || name === 'list' ? bounds.growth : bounds.ofMore);
  const grown = Object.entries(factors).filter(([name, factor]) => factor > boundOf(name));
  return {
    figures: { ...factors, [`page ${farPage}, beside page 1`]: far },
    violations: [
      ...grown.map(([name, factor]) => `${name}: ${factor} times as long among a hundred times as many documents`),
      ...(far > bounds.farPage ? [`page ${farPage}: ${far} times as long as page 1`] : []),
    ],
  };
}

interface Comparison {
  readonly resource: Resource;
  readonly sizes: readonly [least: number, most: number];
  readonly questions: readonly Question[];
  readonly seed: number;
}

async function compare({ resource: of, sizes: [least, most], questions: asked, seed }: Comparison): Promise<Record<string, number>> {
  await using small = await filled(of, least);
  await using large = await filled(of, most);
  const random = new Random(seed);
  const factors = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const question of asked) {
      const ms = { small: 0, large: 0 };
      for (const [store, origin, size] of [['small', small, least], ['large', large, most]] as const) {
        for (let asking = 0; asking < askedEach; asking++) {
          await forget(origin, of);
          const given = question.toAsking(random.below(size));
          const started = performance.now();
          mustFind(await origin.ask(question.operation, of, given));
          ms[store] += performance.now() - started;
        }
      }
      // The first round compiles, and is not counted.
      if (round > 0) factors.set(question.name, [...(factors.get(question.name) ?? []), ms.large / ms.small]);
    }
  }
  return Object.fromEntries([...factors].map(([name, found]) => [name, rounded(median(found))]));
}

/** All pages up to the far one, then it and the first by turns. */
async function farPageFactor(): Promise<number> {
  await using origin = await filled(plain, (farPage + 1) * pageLimit);
  const first = `?limit=${pageLimit}`;
  const ask = async (query: string) => mustFind(await origin.ask('list', plain, { query }));
  let query = first;
  for (let page = 1; page < farPage; page++) query = `${first}&after=${(await ask(query)).pages?.next ?? ''}`;
  const factors = [];
  for (let round = 0; round <= rounds; round++) {
    const [near, far] = [await msOf(() => ask(first)), await msOf(() => ask(query))];
    if (round > 0) factors.push(far / near);
  }
  return rounded(median(factors));
}

async function msOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  for (let asked = 0; asked < askedEach; asked++) await run();
  return performance.now() - started;
}

async function filled(of: Resource, documents: number): Promise<DirectOrigin> {
  // What was asked before is asked again sooner among few than among many: no answer is kept.
  const origin = await DirectOrigin.on('sqlite', contract(of), {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
  const { store, services } = origin.context;
  await eventually('the entries of no documents are made', async () =>
    Object.values(await services.states()).every(({ pending = [] }) => pending.length === 0));
  for (let from = 0; from < documents; from += writtenAtOnce) {
    const numbers = Array.from({ length: Math.min(writtenAtOnce, documents - from) }, (_, index) => from + index);
    const mutations = numbers.map((number) => ({
      resource: of, id: toId(number), decide: () => ({ kind: 'put', document: toDocument(number) }) as const,
    }));
    await store.write(mutations, { deadline: Date.now() + 30_000 });
  }
  return origin;
}

/** So many changes at once that no document is kept in memory: of few documents more would be than of many. */
async function forget({ context: { store } }: DirectOrigin, of: Resource): Promise<void> {
  const changes = Array.from({ length: storeLimits.keptDocumentsChangesMax + 1 }, (_, number) => ({
    resource: of, id: `other${number}`,
    decide: () => ({ kind: 'put', document: { kind: 'other', rank: 0, size: Date.now(), title: 'another' } }) as const,
  }));
  await store.write(changes, { deadline: Date.now() + 30_000 });
}

function toDocument(number: number) {
  const kind = toKind(number);
  return { kind, rank: number % ofOneKind, size: number % 7, title: `A thing of ${kind}` };
}

function toKind(number: number): string {
  // As long as any other, so that none is how others begin.
  return `k${Math.floor(number / ofOneKind).toString(36).padStart(4, '0')}`;
}

/** Scattered, as ids that callers choose are. */
function toId(number: number): string {
  return Bun.hash(String(number)).toString(36);
}

function listOf(name: string, filter: (kind: string) => string): Question {
  return { name, operation: 'list', toAsking: (number) => ({ query: `?${filter(toKind(number))}&limit=${pageLimit}` }) };
}

function mustFind(answer: DirectAnswer): DirectAnswer {
  const { outcome, detail, json: { data } } = answer;
  if (outcome !== 'found' || (Array.isArray(data) && data.length === 0)) throw new Error(`${outcome}: ${detail ?? 'nothing'}`);
  return answer;
}

function rounded(factor: number): number {
  return Math.round(factor * 100) / 100;
}

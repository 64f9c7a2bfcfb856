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
import type { Engine } from '../support/whole-world.ts';
import type { Budget, Outcome } from './parts.ts';

/** Documents that have one value of `kind`. */
const ofOneKind = 100;
const writtenAtOnce = 1_000;
const rounds = 11;
const askedEach = 30;
const pageLimit = 20;
/** Documents of the smaller store and of the larger one. */
type Sizes = readonly [least: number, most: number];
/** `farPage` is a page of the largest store. */
const scales: Readonly<Record<Engine, { readonly plain: Sizes; readonly searched: Sizes; readonly farPage: number }>> = {
  sqlite: { plain: [10_000, 1_000_000], searched: [1_000, 100_000], farPage: 10_000 },
  // The test server holds all of them in memory.
  mongodb: { plain: [1_000, 100_000], searched: [1_000, 10_000], farPage: 4_000 },
};
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

/** How many times as long each question takes in the larger store as in the smaller one, and a page far behind as the first. */
export async function growth(engine: Engine, { seed }: Budget): Promise<Outcome> {
  const { plain: sizes, searched: searchedSizes, farPage } = scales[engine];
  const far = `page ${farPage}, beside page 1`;
  const factors: Readonly<Record<string, number>> = {
    ...(await compare(engine, { resource: plain, sizes, questions, seed }, async (large) => ({
      [far]: await farPageFactor(large, farPage),
    }))),
    ...(await compare(engine, { resource: searched, sizes: searchedSizes, questions: searches, seed })),
  };
  const boundOf = (name: string) => (name === far ? bounds.farPage : name === 'get' || name === 'list' ? bounds.growth : bounds.ofMore);
  return {
    figures: { engine, documents: Math.max(...sizes), ...factors },
    violations: Object.entries(factors).flatMap(([name, factor]) =>
      factor > boundOf(name) ? [`${name}: ${factor} times as long on ${engine}, ${boundOf(name)} at most`] : []),
  };
}

interface Comparison {
  readonly resource: Resource;
  readonly sizes: Sizes;
  readonly questions: readonly Question[];
  readonly seed: number;
}

async function compare(
  engine: Engine,
  { resource: of, sizes: [least, most], questions: asked, seed }: Comparison,
  more: (large: DirectOrigin) => Promise<Record<string, number>> = async () => ({}),
): Promise<Record<string, number>> {
  await using small = await filled(engine, of, least);
  await using large = await filled(engine, of, most);
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
  return { ...Object.fromEntries([...factors].map(([name, found]) => [name, rounded(median(found))])), ...(await more(large)) };
}

/** All pages up to the far one, then it and the first by turns. */
async function farPageFactor(origin: DirectOrigin, farPage: number): Promise<number> {
  const first = `?limit=${pageLimit}`;
  const ask = async (query: string) => mustFind(await origin.ask('list', plain, { query }));
  let query = first;
  for (let page = 1; page < farPage; page++) query = `${first}&after=${(await ask(query)).pages?.next ?? ''}`;
  const factors = [];
  for (let round = 0; round <= rounds; round++) {
    const ms = { near: 0, far: 0 };
    for (let asked = 0; asked < askedEach; asked++) {
      ms.near += await msOf(() => ask(first));
      ms.far += await msOf(() => ask(query));
    }
    if (round > 0) factors.push(ms.far / ms.near);
  }
  return rounded(median(factors));
}

async function msOf(run: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await run();
  return performance.now() - started;
}

async function filled(engine: Engine, of: Resource, documents: number): Promise<DirectOrigin> {
  // What was asked before is asked again sooner among few than among many: no answer is kept.
  const origin = await DirectOrigin.on(engine, contract(of), {}, { TOMBOLO_ANSWERS_BYTES_MAX: '0' });
  const { store, services } = origin.context;
  const untilDone = (what: string) => eventually(what, async () => {
    const states = Object.values(await services.states());
    return states.every(({ pending = [], detail }) => pending.length === 0 && detail === undefined);
  }, { msMax: 900_000 });
  await untilDone('the entries of no documents are made');
  for (let from = 0; from < documents; from += writtenAtOnce) {
    const numbers = Array.from({ length: Math.min(writtenAtOnce, documents - from) }, (_, index) => from + index);
    const mutations = numbers.map((number) => ({
      resource: of, id: toId(number), decide: () => ({ kind: 'put', document: toDocument(number) }) as const,
    }));
    await store.write(mutations, { deadline: Date.now() + 30_000 });
  }
  await untilDone('consumers have followed');
  return origin;
}

/** So many changes at once that no document is kept in memory, as SQLite's store does: of few documents more would be than of many. */
async function forget({ context: { store } }: DirectOrigin, of: Resource): Promise<void> {
  if (store.engine === 'mongodb') return;
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

/**
 * An answer that is made of several resources: what the origin says that it read, under which key the edge keeps it, and
 * that one of them alone is enough to make it stale, unknown or not storable. By an operation that exists here alone.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import type { Asked } from '../../../origin/call.ts';
import { verifyHop } from '../../../origin/hop/verify.ts';
import { respond } from '../../../origin/respond.ts';
import { mustGrant } from '../../../origin/rights.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { type Dependencies, dependenciesOfDocument } from '../../../shared/contract/dependencies.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { readHeader } from '../../../shared/hop/profile.ts';
import { parseReadFacts, type ReadFacts } from '../../../shared/hop/read-facts.ts';
import { documents } from '../../../shared/operations/documents.ts';
import type { Cached } from '../../../shared/operations/operation.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { isFresh, isStorable, type Parts } from '../../../edge/cache/entry.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { signHop } from '../../support/signed-hop.ts';

interface Lookup extends Parts {
  readonly key: string;
  readonly isPublic: boolean;
  readonly gone: Dependencies | undefined;
}
interface View {
  readonly known: boolean;
  readonly agreed: boolean;
  readonly epoch: string;
  readonly through: string;
  readonly generations: readonly string[];
}
/** The modules need Workers' types; what the test uses of them is this. */
const paths: readonly string[] = ['../../../edge/cache/lookup.ts', '../../../edge/cache/generations.ts'];
const [{ toLookup }, { Generations }] = (await Promise.all(paths.map((path) => import(path)))) as [
  { toLookup(asking: object): Lookup | undefined },
  { Generations: new (settings: object, own: object) => { view(dependencies: Dependencies, asking: object): Promise<View | undefined> } },
];

const text = { schema: z.object({ text: z.string(), by: z.string() }), shapes: { all: {} } } as const;
const boards = resource({ ...text, name: 'boards', rules: { read: anyone } });
const notes = resource({ ...text, name: 'notes', rules: { read: owner('by') } });
const pins = resource({ ...text, name: 'pins', rules: { read: anyone }, outage: 'last-known' });
const ticks = resource({ ...text, name: 'ticks', rules: { read: anyone }, cache: 'none' });
const served = contract(boards, notes, pins, ticks);

const ada: Principal = { subject: 'ada', roles: [], claims: {} };
const eve: Principal = { subject: 'eve', roles: [], claims: {} };
const idOf = (id: string) => (of: Resource) => dependenciesOfDocument(of, id);

/** The board with the notes of whoever asks on it. */
function cachedOf(...others: readonly Resource[]): Cached {
  return { name: 'board "a"', keepsAbsence: true, dependencies: [boards, ...others].flatMap(idOf('a')) };
}

function lookupOf(principal: Principal, cached: Cached, own: Resource = boards, declared = served): Lookup | undefined {
  return toLookup({ route: { resource: own, id: 'a' }, cached, principal, preconditions: {}, context: { contract: declared } });
}

function mustLookup(...given: Parameters<typeof lookupOf>): Lookup {
  const found = lookupOf(...given);
  if (found === undefined) throw new Error('the answer would not be kept');
  return found;
}

const epoch = 'a'.repeat(16);
const order = (at: number) => at.toString(16).padStart(8, '0');
const view = (...generations: readonly number[]): View => {
  return { known: true, agreed: true, epoch, through: order(9), generations: generations.map(order) };
};

describe('the key', () => {
  test('of an answer of one resource says nothing of others', () => {
    const { key, others, isPublic } = mustLookup(ada, cachedOf());
    expect([key, others, isPublic]).toEqual([`1/v1/boards/${boards.digest}/public/board "a"`, [], true]);
  });

  test('holds the scope and the declaration of each resource', () => {
    const changed = contract(boards, { ...notes, digest: '0'.repeat(16) }, pins);
    const lookups = [
      mustLookup(ada, cachedOf(notes)), mustLookup(eve, cachedOf(notes)), mustLookup(ada, cachedOf(notes), boards, changed),
      mustLookup(ada, cachedOf(pins)), mustLookup(ada, cachedOf()),
    ];
    expect(new Set(lookups.map(({ key }) => key)).size).toBe(lookups.length);
  });

  test('is for everybody where every part is', () => {
    const isPublic = (...others: readonly Resource[]) => mustLookup(ada, cachedOf(...others)).isPublic;
    expect([isPublic(pins), isPublic(notes), isPublic(pins, notes)]).toEqual([true, false, false]);
  });

  test('does not exist where one part is never cached, or is not served here', () => {
    expect(lookupOf(ada, cachedOf(notes, ticks))).toBeUndefined();
    expect(lookupOf(ada, cachedOf(notes), boards, contract(boards))).toBeUndefined();
  });

  test('goes with an old answer in an outage where every resource allows that', () => {
    expect(mustLookup(ada, cachedOf(), pins).gone).toBeUndefined();
    expect(mustLookup(ada, { ...cachedOf(), dependencies: idOf('a')(pins) }, pins).gone).toHaveLength(1);
    const others = { ...pins, name: 'others' };
    const both = { ...cachedOf(), dependencies: [pins, others].flatMap(idOf('a')) };
    expect(mustLookup(ada, both, pins, contract(pins, others)).gone).toHaveLength(2);
  });
});

describe('what the origin says that it read', () => {
  let origin: Pipeline;
  beforeAll(async () => {
    origin = await Pipeline.on('sqlite', served);
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  function said(principal: Principal, alsoRead?: readonly Resource[]): { text: string; facts: ReadFacts } {
    const keys = mustKeyRing(testKeys);
    const { url, init } = signHop(testKeys, { url: 'http://origin.test/v1/boards/a' });
    const asked: Asked = {
      operation: documents.get, resource: boards, id: 'a', principal, rights: mustGrant(documents.get, boards, principal),
      preconditions: { ifMatch: undefined, ifNoneMatch: undefined },
      idempotency: undefined, deadline: 0, atLeast: undefined, nonce: undefined, requestId: 'req_1', traceId: undefined, tokenKey: keys[0],
    };
    const answer = { outcome: 'found', body: '{}', readAt: { epoch, order: order(5) } } as const;
    const hop = verifyHop(new Request(url, init), keys, Date.now());
    const response = respond(origin.context, hop, asked, alsoRead === undefined ? answer : { ...answer, alsoRead });
    const text = response.headers.get(readHeader) ?? '';
    const facts = parseReadFacts(text);
    if (facts === undefined) throw new Error(`the edge does not understand ${text}`);
    return { text, facts };
  }

  test('is as short as it was where it read one resource', () => {
    expect(said(ada).text).toBe(`${epoch}.${order(5)};${boards.digest};public`);
  });

  test('is stored where edge and origin agree on every part, whatever their order', () => {
    const lookup = mustLookup(ada, cachedOf(notes, pins));
    expect(isStorable(said(ada, [notes, pins]).facts, lookup, view(1, 2, 5))).toBe(true);
    expect(isStorable(said(ada, [pins, notes]).facts, lookup, view(1, 2, 5))).toBe(true);
  });

  test('is not stored where they differ on one part, or one side knows of a part that the other does not', () => {
    const lookup = mustLookup(ada, cachedOf(notes));
    const other = { ...notes, digest: '0'.repeat(16) };
    const wrong: readonly [what: string, facts: ReadFacts][] = [
      ['another declaration', said(ada, [other]).facts], ['another scope', said(eve, [notes]).facts],
      ['a part less', said(ada).facts], ['a part more', said(ada, [notes, pins]).facts],
      ['another part', said(ada, [pins]).facts], ['a part twice', said(ada, [notes, notes]).facts],
    ];
    for (const [what, facts] of wrong) expect([what, isStorable(facts, lookup, view(1, 1))]).toEqual([what, false]);
    expect(isStorable(said(ada, [notes]).facts, mustLookup(ada, cachedOf()), view(1))).toBe(false);
  });

  test('is not stored where one part was changed after it was read', () => {
    const { facts } = said(ada, [notes]);
    const lookup = mustLookup(ada, cachedOf(notes));
    expect([view(5, 5), view(6, 1), view(1, 6)].map((one) => isStorable(facts, lookup, one))).toEqual([true, false, false]);
  });

  test('is not understood where it is cut', () => {
    const { text } = said(ada, [notes]);
    const cuts = [text.slice(0, text.lastIndexOf(';')), `${text};x`, text.split(';').slice(0, 2).join(';')];
    for (const cut of cuts) expect(parseReadFacts(cut)).toBeUndefined();
  });
});

describe('a stored answer', () => {
  const { dependencies } = cachedOf(notes);
  const bucket = (index: number) => dependencies[index]?.buckets[0] ?? 0;

  /** The view of an isolate that asks each time. */
  async function seen(raised: Readonly<Record<string, number>>, digests: Readonly<Record<string, string>> = {}): Promise<View> {
    const generations = new Generations({ memoMs: 1_000, feedSilentMs: 1_000 }, served);
    const found = await generations.view(dependencies, {
      ask: async (name: string) => ({
        epoch, instance: 'i', revision: 1, through: order(9), ageMs: 0, floor: order(1), whole: true,
        contracts: ['f'.repeat(16)], digests: { ['f'.repeat(16)]: digests[name] ?? served.resources.get(name)?.digest },
        buckets: raised[name] === undefined ? [] : [{ bucket: bucket(name === 'boards' ? 0 : 1), order: order(raised[name]) }],
      }),
      waitUntil: () => undefined,
    });
    if (found === undefined) throw new Error('nothing is known');
    return found;
  }
  const entry = {
    status: 200, body: new Uint8Array(0), headers: [], etag: undefined, position: { epoch, order: order(5) },
    generations: [order(1), order(1)], validatedAt: 0, rightAt: 0,
  } as const;

  test('is fresh until one of its parts is raised', async () => {
    expect(isFresh(entry, await seen({}), undefined)).toBe(true);
    expect(isFresh(entry, await seen({ boards: 7 }), undefined)).toBe(false);
    expect(isFresh(entry, await seen({ notes: 7 }), undefined)).toBe(false);
  });

  test('is believed where every part is declared alike at the origin', async () => {
    expect(await seen({})).toMatchObject({ agreed: true, known: true });
    const otherwise = '0'.repeat(16);
    for (const name of ['boards', 'notes']) expect(await seen({}, { [name]: otherwise })).toMatchObject({ agreed: false, known: false });
    expect(await seen({}, { pins: '0'.repeat(16) })).toMatchObject({ agreed: true, known: true });
  });
});

/**
 * Endpoints of a release of this test, which read documents, lists and counts of several resources: everybody asks for
 * everything while everything changes. Each part of an answer must be what its caller's rights give, at a moment within the
 * bound, and nothing in it another's; and what an answer depends on beside its reads keeps it out of the cache.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Answer } from '../../support/answer.ts';
import { Random } from '../../support/random.ts';
import { makeRelease, type Release } from '../../support/release.ts';
import { engines, startWorld, type World } from '../../support/whole-world.ts';
import { answerNaively, type Name, type State } from './naive-api.ts';
import { type Caller, everybody, type Person, signIn } from './principals.ts';
import { States } from './states.ts';
import { film, genre, secretsFrom, writeOnce } from './writers.ts';

const declare = (name: string, at: string, more: string) => `
export const ${name} = endpoint({
  name: '${name}', summary: 'Of a test.', of: films, at: ${at}, method: 'GET', answers: 'state', rule: anyone,
  output: z.record(z.string(), z.unknown()), ${more}
});`;
const declarations = `
import * as z from 'zod';
import { anyone } from '../contract/rules.ts';
import { endpoint } from '../operations/endpoint.ts';
import { films } from '../resources/films.ts';
import { orders } from '../resources/orders.ts';
import { reviews } from '../resources/reviews.ts';
${declare('desk', "{ path: '/desk' }", 'reads: [reviews, orders]')}
${declare('window', "'/window'", "reads: [reviews], audience: 'everybody'")}
${declare('card', "'/:id/card'", 'reads: [reviews]')}
${declare('self', "'/self'", '')}
${declare('clock', "'/clock'", '')}
${declare('beyond', "'/beyond'", '')}
${declare('constant', "'/constant'", '')}
${declare('wrong', "'/wrong'", '').replace('z.record(z.string(), z.unknown())', 'z.object({ data: z.array(z.object({ n: z.int() })) })')}
`;
const handlers = `
import type { ReadCall } from '../access/own-call.ts';
import { films } from '../../shared/resources/films.ts';
import { orders } from '../../shared/resources/orders.ts';
import { reviews } from '../../shared/resources/reviews.ts';

const ofFilm = { film: '${film}', limit: 50 };
const listed = async (page: Promise<{ readonly data: readonly unknown[] }>) => (await page).data;

export const desk = async (call: ReadCall) => ({
  films: await listed(call.list(films, { genres: '${genre}', limit: 50 })),
  reviews: await listed(call.list(reviews, ofFilm)),
  orders: await listed(call.list(orders, { limit: 50 })),
  placed: await call.count(orders, { status: ['placed', 'paid'] }),
});
export const window = async (call: ReadCall) => ({
  films: await listed(call.list(films, { genres: '${genre}', limit: 50 })),
  reviews: await listed(call.list(reviews, ofFilm)),
});
export const card = async (call: ReadCall) => ({ film: call.document, reviews: await listed(call.list(reviews, ofFilm)) });
export const self = async (call: ReadCall) => ({ name: call.principal.subject ?? '', films: await call.count(films) });
export const clock = async (call: ReadCall) => ({ now: call.now(), films: await call.count(films) });
export const beyond = async (call: ReadCall) => ({ orders: await call.count(orders), films: await call.count(films) });
export const constant = async (_call: ReadCall) => ({ one: 1 });
export const wrong = async (call: ReadCall) => ({ data: [{ n: 1 }, { n: (await call.count(films)) + 0.5 }] });
`;
const names = ['desk', 'window', 'card', 'self', 'clock', 'beyond', 'constant', 'wrong'].join(', ');

let release: Release;
beforeAll(() => {
  release = makeRelease([
    ['shared/endpoints/all.ts', "import { filmsTop }", `import { ${names} } from './desk.ts';\nimport { filmsTop }`],
    ['shared/endpoints/all.ts', 'endpointModule(', `endpointModule(${names}, `],
    ['origin/endpoints/all.ts', "import { filmsTop }", `import { ${names} } from './desk.ts';\nimport { filmsTop }`],
    ['origin/endpoints/all.ts', "= { 'films-top'", `= { ${names}, 'films-top'`],
  ], { 'shared/endpoints/desk.ts': declarations, 'origin/endpoints/desk.ts': handlers });
});
afterAll(() => release.remove());

const memoMs = 300;
const feedSilentMs = 400;
const readers = 4;
const answersLeast = 600;
const writesLeast = 60;

describe.each([...engines])('endpoints on %s', (engine) => {
  let world: World;
  beforeAll(async () => {
    world = await startWorld({ engine, memoMs, feedSilentMs });
    await world.edge.restart({ workerModule: `${release.dir}/edge/worker.ts` });
    await world.origin.stop();
    await world.origin.start({ releaseDir: release.dir });
  });
  afterAll(() => world.close());

  test('give everybody what their rights give, at a moment within the bound', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const callers = await signIn(world, everybody);
    const byName = new Map(callers.map((caller) => [caller.name, caller]));
    const states = new States();
    const seen: Seen[] = [];
    const goesOn = () => states.count <= writesLeast || seen.length < answersLeast;
    const writing = async (own: Random) => {
      for (; goesOn(); await Bun.sleep(own.chance(0.06) ? own.below(700) : own.below(15))) await writeOnce(world, states, byName, own);
    };
    const reading = async (own: Random) => {
      while (goesOn()) seen.push(...(await askAround(world, states, callers, own)));
    };
    await Promise.all([writing(random.fork()), ...Array.from({ length: readers }, () => reading(random.fork()))]);
    const wrong = seen.filter((each) => !isRight(each, states)).map(toLine);
    const leaked = seen.filter(({ caller, answer }) => secretsFrom(caller).some((secret) => answer.text.includes(secret))).map(toLine);
    expect({ seed, wrong: wrong.slice(0, 3), leaked: leaked.slice(0, 3) }).toEqual({ seed, wrong: [], leaked: [] });
    const hits = Map.groupBy(seen.filter(({ answer }) => answer.isHit), ({ path }) => path.replace(/films\/[0-9a-f-]{36}/, 'films/:id'));
    expect([...hits.keys()].sort()).toEqual(['/v2/desk', '/v2/films/:id/card', '/v2/films/window']);
  });

  test('are not kept where they depend on more than what they read, and say on what', async () => {
    const token = await world.token({ subject: 'alice' });
    const detailsOf = async (path: string) => {
      const answers = [await world.request(path, { token }), await world.request(path, { token })];
      return answers.map(({ status, isHit, cacheStatus }) => [status, isHit, /detail=([a-z-]+)/.exec(cacheStatus)?.[1]]);
    };
    for (const [name, why] of [['self', 'principal'], ['clock', 'clock'], ['beyond', 'undeclared-read'], ['constant', 'nothing-read']]) {
      expect([name, await detailsOf(`/v2/films/${name}`)]).toEqual([name, [[200, false, why], [200, false, why]]]);
    }
    expect((await world.request('/v2/films/self', { token })).json<{ name: string }>().name).toBe('alice');
  });

  test('tell in development where an answer is not what is declared', async () => {
    const answer = await world.request('/v2/films/wrong');
    expect([answer.status, answer.code]).toEqual([500, 'unknown']);
    expect(answer.text).toContain('endpoint \\"wrong\\" is not what it declares: /data/1/n: ');
  });
});

interface Seen {
  readonly caller: Caller;
  readonly path: string;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly answer: Answer;
}

/** Several people ask the same in a row, so that a cache could mix them up. */
async function askAround(world: World, states: States, callers: readonly Caller[], random: Random): Promise<readonly Seen[]> {
  const id = random.pick([...states.current].filter(([, { name }]) => name === 'films').map(([film]) => film));
  const path = random.pick(['/v2/desk', '/v2/films/window', ...(id === undefined ? [] : [`/v2/films/${id}/card`])]) ?? '';
  const seen: Seen[] = [];
  for (let times = 1 + random.below(4); times > 0; times--) {
    const caller = random.pick(callers);
    if (caller === undefined) break;
    const askedAt = performance.now();
    const answer = await world.request(path, caller.token === undefined ? {} : { token: caller.token });
    seen.push({ caller, path, askedAt, answeredAt: performance.now(), answer });
  }
  return seen;
}

const plain = { fields: undefined, expand: undefined };
const anyone: Person = { name: 'anyone', subject: undefined, roles: [], tenant: undefined };

/** Each part by itself: two reads of one call may be of two states. */
function isRight({ caller, path, askedAt, answeredAt, answer }: Seen, states: States): boolean {
  const possible = states.between(askedAt - memoMs - feedSilentMs - 10, answeredAt);
  const id = /films\/([0-9a-f-]{36})/.exec(path)?.[1];
  if (answer.status === 404) return id !== undefined && possible.some((state) => !state.has(id));
  if (answer.status !== 200) return false;
  const reader = path === '/v2/films/window' ? anyone : caller;
  const parts = Object.entries(answer.json<Record<string, unknown>>());
  return parts.every(([part, value]) => possible.some((state) => Bun.deepEquals(value, partOf(state, reader, part, id), true)));
}

function partOf(state: State, reader: Person, part: string, id: string | undefined): unknown {
  const listed = (name: Name, equal: Readonly<Record<string, string>>) => {
    const { value = [] } = answerNaively(state, reader, { kind: 'list', name, equal, limit: 50, ...plain });
    return value as readonly { readonly status?: string }[];
  };
  if (part === 'film') return answerNaively(state, reader, { kind: 'one', name: 'films', id: id ?? '', ...plain }).value;
  if (part === 'films') return listed('films', { genres: genre });
  if (part === 'reviews') return listed('reviews', { film });
  const orders = listed('orders', {});
  return part === 'orders' ? orders : orders.filter(({ status }) => status === 'placed' || status === 'paid').length;
}

function toLine({ caller, path, answer }: Seen): string {
  return `${caller.name} ${path}: ${answer.status} ${answer.cacheStatus} ${answer.text.slice(0, 300)}`;
}

/** Questions of everybody about everything, several people asking the same in a row, so that a cache could mix them up. */
import { isLikeApiKey } from '../../../shared/api-keys/key-text.ts';
import type { Answer } from '../../support/answer.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Random } from '../../support/random.ts';
import type { World } from '../../support/whole-world.ts';
import { answerNaively, type Name, type NaiveAnswer, type Question, relations, toPath } from './naive-api.ts';
import type { Caller } from './principals.ts';
import type { States } from './states.ts';
import { film, genre, secretsFrom } from './writers.ts';

export interface Observation {
  readonly caller: Caller;
  readonly question: Question;
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly answer: Answer;
}

export interface Findings {
  readonly wrong: readonly string[];
  readonly leaked: readonly string[];
}

const fieldsOf: Readonly<Record<Name, readonly string[]>> = {
  films: ['title', 'year'],
  reviews: ['text', 'author'],
  orders: ['staffNote', 'buyer', 'status'],
};

export async function askAround(
  world: World, states: States, callers: readonly Caller[], random: Random, etags: Map<string, string>,
): Promise<readonly Observation[]> {
  const question = toQuestion(states, random);
  const path = toPath(question);
  const observations: Observation[] = [];
  for (let times = 1 + random.below(4); times > 0; times--) {
    const caller = random.pick(callers);
    if (caller === undefined) break;
    // The tag may be of what another person was shown.
    const etag = random.chance(0.3) ? etags.get(path) : undefined;
    const askedAt = performance.now();
    const answer = await world.request(path, {
      ...(caller.token === undefined ? {} : { token: caller.token }),
      headers: etag === undefined ? {} : { 'if-none-match': etag },
    });
    observations.push({ caller, question, askedAt, answeredAt: performance.now(), answer });
    if (answer.etag !== '') etags.set(path, answer.etag);
  }
  return observations;
}

function toQuestion(states: States, random: Random): Question {
  const name = random.pick(['films', 'reviews', 'orders'] as const);
  const fields = random.chance(0.25) ? [random.pick(fieldsOf[name]) ?? 'rev'] : undefined;
  const expand = random.chance(0.25) ? relations[name] : undefined;
  const ids = [...states.current].filter(([, each]) => each.name === name).map(([id]) => id);
  const id = random.pick(ids);
  if (id !== undefined && random.chance(0.5)) return { kind: 'one', name, id, fields, expand };
  const limit = random.pick([1, 3, 50, undefined] as const);
  const equals: Readonly<Record<Name, Readonly<Record<string, string>>>> = {
    films: { genres: genre },
    reviews: random.chance(0.5) ? { film } : { author: random.pick(['alice', 'bob'] as const) },
    orders: random.chance(0.5) ? {} : { status: random.pick(['placed', 'paid', 'cancelled'] as const) },
  };
  return { kind: 'list', name, equal: equals[name], limit, fields, expand: limit === undefined ? undefined : expand };
}

/** Every answer must be the model's at some moment that was not longer ago than the bound. */
export function judge(observations: readonly Observation[], states: States, staleMsMax: number): Findings {
  const bodies = new Map(observations.filter(({ answer }) => answer.status === 200).map(({ answer }) => [answer.etag, answer.text]));
  const wrong = observations.filter((each) => !isRight(each, states, staleMsMax, bodies)).map(describe);
  const leaked = observations
    .filter(({ caller, answer }) => secretsFrom(caller).some((secret) => answer.text.includes(secret)))
    .map(describe);
  return { wrong, leaked };
}

function isRight(
  { caller, question, askedAt, answeredAt, answer }: Observation,
  states: States,
  staleMsMax: number,
  bodies: ReadonlyMap<string, string>,
): boolean {
  const text = answer.status === 304 ? bodies.get(answer.etag) : answer.text;
  if (text === undefined) return false;
  const status = answer.status === 304 ? 200 : answer.status;
  const isExport = question.kind === 'list' && question.limit === undefined;
  // Of one caller two run at once, and of all eight.
  if (isExport && (status === 429 || status === 503)) return true;
  const { expand } = question;
  const found = status === 200 ? ((isExport ? toPage(text) : JSON.parse(text)) as JsonObject) : undefined;
  const isFound = (expected: NaiveAnswer, leaving?: string): boolean =>
    expected.status === status && (found === undefined || isSame(found, expected, question, leaving));
  const possible = states.between(askedAt - staleMsMax, answeredAt);
  // What is related is read after the rest, so it may be of another state.
  return possible.some((state) =>
    isFound(answerNaively(state, caller, question), expand) &&
    (expand === undefined || possible.some((related) => isFound(answerNaively(state, caller, question, related)))),
  );
}

/** `leaving`: the member that is not looked at. */
function isSame(found: JsonObject, { value, hasNext = false }: NaiveAnswer, { kind }: Question, leaving?: string): boolean {
  const toLooked = (documents: unknown) =>
    (documents as readonly JsonObject[]).map((each) => Object.fromEntries(Object.entries(each).filter(([name]) => name !== leaving)));
  if (kind === 'one') return Bun.deepEquals(toLooked([found]), toLooked([value]), true);
  const { data, page } = found as { data?: unknown; page?: { next: string | null } };
  return (page?.next !== null) === hasNext && Bun.deepEquals(toLooked(data), toLooked(value), true);
}

/** An export as the page that has all of it. */
function toPage(text: string): { readonly data: readonly unknown[]; readonly page: { readonly next: string | null } } {
  const lines = text.trimEnd().split('\n').map((line) => JSON.parse(line) as { readonly $export?: { readonly complete: boolean } });
  return { data: lines.slice(0, -1), page: { next: lines.at(-1)?.$export?.complete === true ? null : 'broken off' } };
}

function describe({ caller, question, answer }: Observation): string {
  const by = caller.token !== undefined && isLikeApiKey(caller.token) ? ` by a key of ${caller.only?.join() ?? 'all'}` : '';
  return `${caller.name}${by} ${toPath(question)}: ${answer.status} ${answer.cacheStatus} ${answer.text.slice(0, 300)}`;
}

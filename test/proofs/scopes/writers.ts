/** One write after another, allowed and forbidden, so that the model knows each state; each is somebody's secret. */
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Random } from '../../support/random.ts';
import type { World } from '../../support/whole-world.ts';
import type { Name, State } from './naive-api.ts';
import { alice, bob, type Caller, editor, members, moderator, type Person, staff } from './principals.ts';
import type { States } from './states.ts';

export const genre = 'Scopes';
export const film = '0198c0de-0000-7000-8000-0000000000cc';

interface Attempt {
  readonly by: Person;
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly name: Name;
  readonly id?: string;
  readonly body?: JsonObject;
  /** What it must be answered when it is not allowed. */
  readonly refused?: readonly number[];
}

/** Carries out one random write and notes the state after it; throws where a forbidden one is not refused. */
export async function writeOnce(world: World, states: States, callers: ReadonlyMap<string, Caller>, random: Random): Promise<void> {
  const attempt = toAttempt(states.current, random);
  if (attempt === undefined) return;
  const { by, method, name, id, body, refused } = attempt;
  const askedAt = performance.now();
  const answer = await world.request(`/v2/${name}${id === undefined ? '' : `/${id}`}`, {
    method, token: callers.get(by.name)?.token ?? '', body: body === undefined ? null : JSON.stringify(body),
    headers: method === 'DELETE' ? {} : { 'content-type': method === 'POST' ? 'application/json' : 'application/merge-patch+json' },
  } as Parameters<World['request']>[1]);
  const times = { askedAt, ackedAt: performance.now() };
  if (refused !== undefined ? !refused.includes(answer.status) : answer.status >= 300) {
    throw new Error(
      `${by.name} ${method} ${name} ${JSON.stringify(body)} is answered ${answer.status}, not ${refused ?? 'done'}: ${answer.text}`,
    );
  }
  if (refused !== undefined) return;
  if (method === 'DELETE') states.remove(id ?? '', times);
  else states.put(name, answer.json<JsonObject>(), times);
}

const documentsMax = 14;

function toAttempt(state: State, random: Random): Attempt | undefined {
  const name = random.pick(['films', 'reviews', 'orders'] as const);
  const there = [...state.values()].filter((each) => each.name === name).map(({ document }) => document);
  const document = random.pick(there);
  if (document === undefined || (there.length < documentsMax && random.chance(0.4))) return creations[name](random, state);
  return changes[name](document, String(document['id']), random);
}

const word = (random: Random): string => random.below(1_000_000).toString(36);

const creations: Readonly<Record<Name, (random: Random, state: State) => Attempt>> = {
  films: (random) => ({
    by: editor,
    method: 'POST',
    name: 'films',
    body: { title: `Film ${word(random)}`, year: 1_900 + random.below(9), genres: [genre], cast: [] },
  }),
  reviews(random, state) {
    const [by, other] = random.chance(0.5) ? [alice, bob] : [bob, alice];
    const forged = random.chance(0.1);
    return {
      by,
      method: 'POST',
      name: 'reviews',
      body: { ...toReview(forged ? other.name : by.name, random), ...(random.chance(0.5) ? { film: toFilm(state, random) } : {}) },
      ...(forged ? { refused: [403] } : {}),
    };
  },
  orders(random) {
    const by = random.pick([...members, ...staff] as const);
    const forged = random.chance(0.1);
    const tenant = by.tenant ?? '';
    return {
      by,
      method: 'POST',
      name: 'orders',
      body: { tenant: forged ? `not-${tenant}` : tenant, film, seats: 1 + random.below(9), buyer: `secret-of-${tenant}`, status: 'placed' },
      ...(forged ? { refused: [403] } : {}),
    };
  },
};

/** One that is there, where there is any. */
function toFilm(state: State, random: Random): string {
  return random.pick([...state].filter(([, { name }]) => name === 'films').map(([id]) => id)) ?? film;
}

/** A draft names its author as the owner of a secret; what is published does not. */
function toReview(author: string, random: Random): JsonObject {
  const isDraft = random.chance(0.5);
  return {
    film,
    author,
    status: isDraft ? 'draft' : 'published',
    rating: 1 + random.below(5),
    text: `${isDraft ? `draft-of-${author}` : 'for all'} ${word(random)}`,
  };
}

const changes: Readonly<Record<Name, (document: JsonObject, id: string, random: Random) => Attempt>> = {
  films: (_, id, random) =>
    random.chance(0.2)
      ? { by: editor, method: 'DELETE', name: 'films', id }
      : { by: editor, method: 'PATCH', name: 'films', id, body: { title: `Film ${word(random)}`, year: 1_900 + random.below(9) } },
  reviews(document, id, random) {
    const author = String(document['author']);
    const [by, other] = author === alice.name ? [alice, bob] : [bob, alice];
    const isDraft = document['status'] === 'draft';
    if (random.chance(0.2)) {
      return { by: other, method: 'PATCH', name: 'reviews', id, body: { text: 'taken over' }, refused: [isDraft ? 404 : 403] };
    }
    if (random.chance(0.15)) return { by: random.chance(0.5) && !isDraft ? moderator : by, method: 'DELETE', name: 'reviews', id };
    const { film: _film, author: _author, ...changed } = toReview(author, random) as Record<string, JsonObject[string]>;
    return { by, method: 'PATCH', name: 'reviews', id, body: changed };
  },
  orders(document, id, random) {
    const own = staff.find(({ tenant }) => tenant === document['tenant']) ?? staff[0];
    const foreign = staff.find(({ tenant }) => tenant !== document['tenant']) ?? staff[1];
    const member = members.find(({ tenant }) => tenant === document['tenant']) ?? members[0];
    if (random.chance(0.1)) return { by: foreign, method: 'PATCH', name: 'orders', id, body: { seats: 1 }, refused: [404] };
    if (random.chance(0.1)) return { by: member, method: 'PATCH', name: 'orders', id, body: { status: 'paid' }, refused: [403] };
    if (random.chance(0.15)) return { by: own, method: 'DELETE', name: 'orders', id };
    return {
      by: own,
      method: 'PATCH',
      name: 'orders',
      id,
      body: { status: random.pick(['placed', 'paid', 'cancelled'] as const), staffNote: `note-of-staff-of-${own.tenant} ${word(random)}` },
    };
  },
};

/** What must stand in no answer to this person, whatever was asked. */
export function secretsFrom(person: Person): readonly string[] {
  return [
    ...[alice, bob].filter(({ name }) => name !== person.name).map(({ name }) => `draft-of-${name}`),
    ...staff
      .filter(({ tenant }) => tenant !== person.tenant || !person.roles.includes('staff'))
      .map(({ tenant }) => `note-of-staff-of-${tenant}`),
    ...staff.filter(({ tenant }) => tenant !== person.tenant).map(({ tenant }) => `secret-of-${tenant}`),
  ];
}

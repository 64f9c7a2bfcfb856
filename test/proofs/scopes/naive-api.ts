/**
 * The API as its declarations read, written down a second time without rules, scopes, caches or indexes: all
 * documents in a list, and for each question what this person must be answered.
 */
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Caller, Person } from './principals.ts';

export type Name = 'films' | 'reviews' | 'orders';
/** Every document that there is, by id. */
export type State = ReadonlyMap<string, { readonly name: Name; readonly document: JsonObject }>;

export type Question = {
  readonly name: Name;
  readonly fields: readonly string[] | undefined;
  /** The relation that is shown in each document. */
  readonly expand: string | undefined;
} & (
  | { readonly kind: 'one'; readonly id: string }
  | {
      readonly kind: 'list';
      readonly equal: Readonly<Record<string, string>>;
      /** `undefined`: all of them, as an export. */
      readonly limit: number | undefined;
    }
);

/** What leads on from each. */
export const relations: Readonly<Record<Name, string | undefined>> = { films: 'reviews', reviews: 'film', orders: undefined };
const shownBy: Readonly<Record<string, Name>> = { reviews: 'reviews', film: 'films' };

export interface NaiveAnswer {
  readonly status: number;
  /** The document of a 200, or the documents of its page. */
  readonly value?: unknown;
  readonly hasNext?: boolean;
}

export function toPath(question: Question): string {
  const search = new URLSearchParams();
  if (question.fields !== undefined) search.set('fields', question.fields.join(','));
  if (question.expand !== undefined) search.set('expand', question.expand);
  if (question.kind === 'list') {
    for (const [field, value] of Object.entries(question.equal)) search.set(field, value);
    if (question.limit !== undefined) search.set('limit', String(question.limit));
  }
  const id = question.kind === 'one' ? `/${question.id}` : question.limit === undefined ? '/export' : '';
  return `/v2/${question.name}${id}${search.size === 0 ? '' : `?${search}`}`;
}

/** `related`: the state that related documents are shown of, which is read after the first. */
export function answerNaively(state: State, person: Omit<Caller, 'token'>, question: Question, related = state): NaiveAnswer {
  const show = (document: JsonObject): JsonObject => ({
    ...shown(person, question.name, document, question.fields), ...relatedTo(related, person, question, document),
  });
  const asked = [question.name, ...(question.expand === undefined ? [] : [shownBy[question.expand]])];
  if (asked.some((name) => name !== undefined && person.only?.includes(name) === false)) return { status: 403 };
  if (question.name === 'orders' && person.tenant === undefined) return { status: person.subject === undefined ? 401 : 403 };
  if (question.kind === 'one') {
    const found = state.get(question.id);
    if (found === undefined || found.name !== question.name || !maySee(person, found.name, found.document)) return { status: 404 };
    return { status: 200, value: show(found.document) };
  }
  const matching = [...state.values()]
    .filter(
      ({ name, document }) =>
        name === question.name &&
        maySee(person, name, document) &&
        Object.entries(question.equal).every(([field, value]) => has(document[field], value)),
    )
    .map(({ document }) => document)
    .sort(orders[question.name]);
  return {
    status: 200,
    value: matching.slice(0, question.limit).map(show),
    hasNext: question.limit !== undefined && matching.length > question.limit,
  };
}

/** Under the name of the relation. */
function relatedTo(state: State, person: Person, { expand }: Question, document: JsonObject): JsonObject {
  const seen = [...state.values()].filter((each) => maySee(person, each.name, each.document));
  const show = (name: Name, documents: readonly JsonObject[]) => documents.map((each) => shown(person, name, each, undefined));
  if (expand === 'film') {
    const films = seen.filter((each) => each.name === 'films' && each.document['id'] === document['film']);
    return { film: show('films', films.map((each) => each.document))[0] ?? null };
  }
  if (expand !== 'reviews') return {};
  const reviews = seen.filter((each) => each.name === 'reviews' && each.document['film'] === document['id']);
  return { reviews: show('reviews', reviews.map((each) => each.document).sort(newestFirst)) };
}

function maySee(person: Person, name: Name, document: JsonObject): boolean {
  if (name === 'films') return true;
  if (name === 'orders') return person.tenant !== undefined && document['tenant'] === person.tenant;
  return document['status'] === 'published' || (person.subject !== undefined && document['author'] === person.subject);
}

function shown(person: Person, name: Name, document: JsonObject, fields: readonly string[] | undefined): JsonObject {
  const hidden = name === 'orders' && !person.roles.includes('staff') ? ['staffNote'] : [];
  return Object.fromEntries(
    Object.entries(document).filter(
      ([field]) => !hidden.includes(field) && (fields === undefined || field === 'id' || fields.includes(field)),
    ),
  );
}

function has(value: unknown, wanted: string): boolean {
  return Array.isArray(value) ? value.includes(wanted) : value === wanted;
}

const newestFirst = (left: JsonObject, right: JsonObject): number =>
  compare(right['createdAt'], left['createdAt']) || compare(right['id'], left['id']);

const orders: Readonly<Record<Name, (left: JsonObject, right: JsonObject) => number>> = {
  films: (left, right) =>
    compare(right['year'], left['year']) || compare(left['title'], right['title']) || compare(left['id'], right['id']),
  reviews: newestFirst,
  orders: newestFirst,
};

function compare(left: unknown, right: unknown): number {
  return (left as string) < (right as string) ? -1 : (left as string) > (right as string) ? 1 : 0;
}

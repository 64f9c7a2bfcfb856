/**
 * What a merge cannot say (SEMANTICS §17): a JSON object keyed by operation, then by place, `image.width` or `/image/width`. Each
 * place is named once, so no order matters. It is carried out on the document as its caller sees it, all or none.
 */
import * as z from 'zod';
import { type Field, isScalarKind, kindOfType } from '../contract/fields.ts';
import { patchBody } from '../contract/documents.ts';
import { typeAt } from '../contract/named-places.ts';
import type { Resource } from '../contract/resource.ts';
import { unwrapped } from '../contract/open-schema.ts';
import { placeOf } from '../contract/schema-places.ts';
import { type Type, typesWithin } from '../contract/schema-tree.ts';
import { madeOnce } from '../remember.ts';
import { parseFinite } from '../wire/exact-numbers.ts';
import { toCanonicalJson } from '../wire/hash.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { limits } from '../wire/limits.ts';
import { toDecimalText, toLong } from '../wire/shown-numbers.ts';
import {
  compareSortValues, isExactKind, isJsonObject, type Json, type JsonObject, type ScalarKind, toInstant, toSortValue, toUuid,
} from '../wire/values.ts';
import { type Arithmetic, computed } from './arithmetic.ts';
import type { Edit } from './edit.ts';
import { memberOf, place, refused, type Spot, stepsOf } from './spot.ts';

export const changesType = 'application/vnd.tombolo.changes+json';

const value = z.unknown().refine((given) => given !== undefined, 'is missing').meta({ examples: ['Comedy'] });
const digits = z.string().refine((text) => toDecimalText(text) !== undefined, 'is no number');
const amount = z.union([z.number(), digits]).meta({ examples: [1] });
const comparable = z.union([z.number(), z.string()]).meta({ examples: [1949] });
const some = z.array(value).min(1);
/** An element, or members of one by their places. */
const part = value.refine(
  (given) => !isJsonObject(given as Json) || Object.keys(given as JsonObject).every((text) => place.safeParse(text).success),
  'names a member by what is no place',
);
const members = z.record(place, value).refine((given) => Object.keys(given).length > 0, 'names no member');

const at = <Type extends z.ZodType>(type: Type, words: string) => z.record(place, type).optional().meta({ description: words });

const operators = z.strictObject({
  set: at(value, 'Puts a value in the place, whatever stands there.'),
  unset: at(z.literal(true), 'Takes out what stands there, if anything does.'),
  increment: at(amount, 'Adds to the number there, which is 0 where nothing stands.'),
  multiply: at(amount, 'Multiplies the number there, which is 0 where nothing stands.'),
  min: at(comparable, 'Puts the value there where it is less, or nothing stands there.'),
  max: at(comparable, 'Puts the value there where it is more, or nothing stands there.'),
  append: at(some, 'Adds behind the last element of an array.'),
  addToSet: at(some, 'Likewise, but for what is in it already.'),
  remove: at(some, 'Takes out every element of an array that equals one of these.'),
  removeWhere: at(members, 'Takes out every element of an array with these members.'),
  setWhere: at(z.strictObject({ match: part, set: part }), 'Changes the first element that equals `match` or has its members.'),
});

export const operatorNames: ReadonlySet<string> = new Set(Object.keys(operators.shape));

type Operators = z.output<typeof operators>;
export type Operator = keyof Operators;

/** Says that a place is named twice, which no schema of one place can. */
const checked = operators.superRefine((given, context) => {
  const named = Object.entries(given).flatMap(([operator, places]) =>
    Object.keys(places ?? {}).map((text) => ({ path: [operator, text], place: `${toPointer(stepsOf(text))}/` })),
  );
  if (named.length > limits.patchOperationsMax) {
    context.addIssue({ code: 'custom', message: `names more than ${limits.patchOperationsMax} places` });
    return;
  }
  named.sort((left, right) => (left.place < right.place ? -1 : 1));
  for (const [index, each] of named.entries()) {
    const above = named.slice(0, index).find((other) => each.place.startsWith(other.place));
    if (above !== undefined) context.addIssue({ code: 'custom', path: each.path, message: `is named by ${toPointer(above.path)} as well` });
  }
});

export const changesBody: z.ZodType<JsonObject> = patchBody(checked, (changes) => changes, operators);

type Fields = ReadonlyMap<string, Field>;
type Named = Pick<Resource, 'schema' | 'extra'>;

/** What each operator is given for each place, of a body that `changesBody` took. */
export function operandsOf(body: JsonObject): readonly { readonly operator: Operator; readonly place: string; readonly operand: Json }[] {
  return Object.entries(body).flatMap(([operator, places]) =>
    Object.entries(places as JsonObject).map(([place, operand]) => ({ operator: operator as Operator, place, operand })));
}

/** Operators that do nothing where nothing stands, so that a misspelt place would be told by nothing else. */
const taking: ReadonlySet<Operator> = new Set(['unset', 'remove', 'removeWhere']);

/** Carries out a body that `changesBody` took. */
export function applyChanges(edit: Edit, body: JsonObject, resource: Named & Pick<Resource, 'fields'>): void {
  for (const { operator, place, operand } of operandsOf(body)) {
    const pointer = toPointer([operator, place]);
    const spot = { steps: stepsOf(place), at: pointer, value: pointer };
    if (taking.has(operator) && edit.peek(spot) === undefined) mustName(resource, spot.steps, spot);
    appliers[operator]({ edit, spot, resource, kind: kindAt(edit, spot, resource.fields) }, operand);
  }
}

/** What serves members that nobody declared may have them anywhere. */
function mustName({ schema, extra }: Named, steps: readonly string[], from: Pick<Spot, 'at'>): void {
  if (extra !== 'serve' && typeAt(schema, steps) === 'nowhere') throw refused('document_invalid', from, 'unknown field');
}

interface Applying {
  readonly edit: Edit;
  readonly spot: Spot;
  readonly resource: Named;
  /** As the place is declared, or the elements of the array there. */
  readonly kind: ScalarKind;
}

/** By operator: what it does with what is given for a place, which its schema took. */
const appliers: { readonly [Name in Operator]: (applying: Applying, operand: Json) => void } = {
  set: ({ edit, spot }, operand) => edit.set(spot, operand),
  unset: ({ edit, spot }) => edit.unset(spot),
  increment: (applying, operand) => compute(applying, 'add', operand),
  multiply: (applying, operand) => compute(applying, 'multiply', operand),
  min: (applying, operand) => keepEnd(applying, -1, operand),
  max: (applying, operand) => keepEnd(applying, 1, operand),
  append: ({ edit, spot }, operand) => edit.append(spot, operand as readonly Json[]),
  addToSet: (applying, operand) => {
    const { edit, spot } = applying;
    const type = elementType(applying);
    const known = new Set((edit.array(spot) ?? []).map((element) => keyOf(type, element)));
    const added = (operand as readonly Json[]).filter((each) => {
      const key = keyOf(type, takenAs(applying, type, each));
      return !known.has(key) && known.add(key).size > 0;
    });
    if (added.length > 0) edit.append(spot, added);
  },
  remove: (applying, operand) => {
    const isRemoved = likeOneOf(applying, elementType(applying), operand as readonly Json[]);
    applying.edit.keep(applying.spot, (element) => !isRemoved(element));
  },
  removeWhere: (applying, operand) => {
    const { edit, spot } = applying;
    mustSeeMembers(applying, operand, spot.at);
    const matching = new Set((edit.array(spot) ?? []).filter(like(applying, operand)));
    if (matching.size === 0) mustNameMembers(applying, operand);
    edit.keep(spot, (element) => !matching.has(element));
  },
  setWhere: (applying, operand) => setElement(applying, operand as JsonObject),
};

function compute({ edit, spot, kind }: Applying, how: Arithmetic, operand: Json): void {
  const stored = edit.peek(spot) ?? 0;
  const result = computed(how, stored, operand, kind);
  if (result !== undefined) return edit.set(spot, result);
  const isNumber = isExactKind(kind) ? computed('add', stored, 0, kind) !== undefined : typeof stored === 'number';
  if (!isNumber) throw refused('document_conflict', spot, 'no number stands there');
  throw refused('document_invalid', spot, isExactKind(kind) ? `leaves no ${kind}` : 'must be a number, and leave one');
}

/** `end`: whether the less or the more of two is kept. */
function keepEnd({ edit, spot, kind }: Applying, end: 1 | -1, operand: Json): void {
  const given = canonical(operand, kind);
  const stored = edit.peek(spot) ?? undefined;
  if (stored === undefined) return edit.set(spot, given);
  const [left, right] = [toSortValue(given, kind), toSortValue(stored, kind)];
  if (left.rank !== right.rank) throw refused('document_conflict', spot, 'what stands there is of another type');
  if (Math.sign(compareSortValues(left, right)) === end) edit.set(spot, given);
}

function setElement(applying: Applying, { match = null, set = null }: JsonObject): void {
  const { edit, spot } = applying;
  mustSeeMembers(applying, match, `${spot.at}/match`);
  const index = (edit.array(spot) ?? []).findIndex(like(applying, match));
  if (index < 0) throw refused('document_conflict', { at: `${spot.at}/match` }, 'no element is like it');
  const element: Spot = { steps: [...spot.steps, String(index)], at: spot.at, value: `${spot.at}/set` };
  if (!isJsonObject(set)) return edit.set(element, set);
  for (const [text, member] of Object.entries(set)) {
    const below = `${spot.at}/set${toPointer([text])}`;
    edit.set({ steps: [...element.steps, ...stepsOf(text)], at: below, value: below }, member);
  }
}

/** Whether an element equals `match` or has its members. */
function like(applying: Applying, match: Json): (element: Json) => boolean {
  if (!isJsonObject(match)) return likeOneOf(applying, elementType(applying), [match]);
  const members = Object.entries(match).map(([text, expected]) => {
    const steps = stepsOf(text);
    return { steps, isLike: likeOneOf(applying, elementType(applying, steps), [expected]) };
  });
  return (element) => members.every(({ steps, isLike }) => {
    const found = steps.reduce((held: Json | undefined, step) => (held === undefined ? undefined : memberOf(held, step)), element);
    return found !== undefined && isLike(found);
  });
}

/** Also what others have stored as it is sent, and the type would make something else of. */
function likeOneOf(applying: Applying, type: Type | undefined, values: readonly Json[]): (found: Json) => boolean {
  const keys = new Set(values.flatMap((each) => [each, takenAs(applying, type, each)]).map((each) => keyOf(type, each)));
  return (found) => keys.has(keyOf(type, found));
}

/** Of the elements of the array there, or of a member of theirs; `undefined`: the schema alone does not say. */
function elementType({ spot, resource }: Applying, member: readonly string[] = []): Type | undefined {
  const type = typeAt(resource.schema, [...spot.steps, '0', ...member]);
  return type === 'nowhere' ? undefined : type;
}

/** What a value becomes that is written there: the form of its type (SEMANTICS §4), and what transforms make of it. */
function takenAs({ kind }: Applying, type: Type | undefined, given: Json): Json {
  if (type === undefined) return canonical(given, kind);
  const parsed = z.safeParse(type, given);
  return parsed.success ? (parsed.data as Json) : given;
}

/** Equal for equal values: of decimals zeros at the end do not count. */
function keyOf(type: Type | undefined, value: Json): string {
  return toCanonicalJson(type !== undefined && hasDecimals(type) ? inOneForm(type, value) : value);
}

const hasDecimals = madeOnce((type: Type) => [...typesWithin(type, '')].some((part) => kindOfType(part.type) === 'decimal'));

function inOneForm(type: Type | undefined, value: Json): Json {
  if (Array.isArray(value)) {
    const { element } = placeOf(type, value);
    return value.map((each: Json, index) => inOneForm(element(index), each));
  }
  if (isJsonObject(value)) {
    const { member } = placeOf(type, value);
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inOneForm(member(name), each)]));
  }
  const isDecimal = type !== undefined && kindOfType(unwrapped(type)) === 'decimal';
  return isDecimal && typeof value === 'string' ? (parseFinite(value) ?? value) : value;
}

/** Whoever matches by a hidden member is refused, whatever it is. */
function mustSeeMembers({ edit, spot }: Applying, match: Json, from: string): void {
  if (!isJsonObject(match)) return;
  for (const text of Object.keys(match)) {
    edit.mustSee([edit.pathOf(spot), ...stepsOf(text)].join('.'), { at: from + toPointer([text]) });
  }
}

function mustNameMembers({ spot, resource }: Applying, match: Json): void {
  if (!isJsonObject(match)) return;
  for (const text of Object.keys(match)) mustName(resource, [...spot.steps, '0', ...stepsOf(text)], { at: spot.at + toPointer([text]) });
}

function kindAt(edit: Edit, spot: Spot, fields: Fields): ScalarKind {
  const { kind, element = 'mixed' } = fields.get(edit.pathOf(spot)) ?? { kind: 'mixed' };
  const found = kind === 'array' ? element : kind;
  return isScalarKind(found) ? found : 'string';
}

/** The form that a value is kept in (SEMANTICS §4), so that it equals what stands there. */
function canonical(given: Json, kind: ScalarKind): Json {
  if (kind === 'long') return toLong(given) ?? given;
  if (typeof given !== 'string') return given;
  const kept = kind === 'instant' ? toInstant(given) : kind === 'uuid' ? toUuid(given) : kind === 'decimal' ? toDecimalText(given) : given;
  return kept ?? given;
}

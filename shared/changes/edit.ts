/**
 * A document while a patch changes it place by place, as its caller sees it (SEMANTICS §17). What the caller does not see is not
 * there to be read, compared, moved or taken out by name, so that nothing is learnt by trying. Nothing of the document that was
 * given is changed. Where elements of an array come, go and change places, it is kept which stored element each is.
 */
import { isWithin } from '../contract/path.ts';
import { isSameJson } from '../contract/settled.ts';
import type { FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { limits } from '../wire/limits.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';
import { memberOf, refused, type Spot, toIndex } from './spot.ts';
import { TrackedArrays } from './tracked-arrays.ts';

interface Bounds {
  /** Paths that the caller does not see. */
  readonly hidden: readonly string[];
  /** Members that Tombolo keeps: they are read, and never written. */
  readonly kept: readonly string[];
}

type Change = (holder: Json, step: string) => Json;

export class Edit {
  #root: Json;
  readonly #bounds: Bounds;
  readonly #arrays = new TrackedArrays();
  /** Objects that this edit has made, and so may change: a large one is copied for its first change alone. */
  readonly #own = new WeakMap<JsonObject, Record<string, Json>>();
  #copiedCharacters = 0;
  readonly #writes: Spot[] = [];

  constructor(document: JsonObject, bounds: Bounds) {
    this.#root = document;
    this.#bounds = bounds;
  }

  /** What the patch has made of the document. */
  get document(): JsonObject {
    return this.#root as JsonObject;
  }

  read(spot: Spot): Json {
    return this.#must(spot, 'look');
  }

  /** `undefined`: nothing stands there. */
  peek(spot: Spot): Json | undefined {
    return this.#find(spot, 'look');
  }

  test(spot: Spot, value: Json): void {
    if (!isSameJson(this.read(spot), value)) throw refused('document_conflict', spot, 'is not what the test says');
  }

  /** Sets a member, or puts an element in before the one of that index; `-` is behind the last (RFC 6902 §4.1). */
  add(spot: Spot, value: Json): void {
    this.#mustWrite(spot);
    const holder = this.#must(spot, 'name');
    const steps = Array.isArray(holder) ? spot.steps.with(-1, String(mustIndex(spot, holder.length + 1, holder.length))) : spot.steps;
    this.#put({ ...spot, steps }, value, (holder, step) =>
      Array.isArray(holder)
        ? this.#arrays.spliced(holder, { at: Number(step), taken: 0, put: [value] })
        : this.#with(mustObject(holder, spot), step, value),
    );
  }

  replace(spot: Spot, value: Json): void {
    this.#mustWrite(spot);
    this.#must(spot, 'look');
    this.#put(spot, value, (holder, step) => this.#with(holder, step, value));
  }

  remove(spot: Spot): void {
    this.#mustWrite(spot);
    this.#must(spot, 'look');
    this.#write(spot, (holder, step) => {
      if (Array.isArray(holder)) return this.#arrays.spliced(holder, { at: Number(step), taken: 1, put: [] });
      const own = this.#owned(holder as JsonObject);
      delete own[step];
      return own;
    });
  }

  /** Puts a value in its place, in objects that are made where there are none. */
  set(spot: Spot, value: Json): void {
    this.#mustWrite(spot);
    this.#find(spot, 'name');
    const { steps } = spot;
    const missing = steps.findIndex((_, index) => this.#at(steps.slice(0, index + 1)) === undefined);
    if (missing < 0) return this.#put(spot, value, (holder, step) => this.#with(holder, step, value));
    if (Array.isArray(this.#at(steps.slice(0, missing)))) return void this.#must(spot, 'look');
    const made = steps.slice(missing + 1).reduceRight((held: Json, step) => ({ [step]: held }), value);
    this.add({ ...spot, steps: steps.slice(0, missing + 1) }, made);
    this.#writes.push(spot);
  }

  unset(spot: Spot): void {
    this.#mustWrite(spot);
    if (this.peek(spot) !== undefined) this.remove(spot);
  }

  /** Behind the last element, of an array that is made where there is none. */
  append(spot: Spot, values: readonly Json[]): void {
    const array = this.array(spot);
    if (array === undefined) return this.set(spot, values);
    this.#bring(values, spot.steps.length, spot);
    this.#writeArray(spot, (old) => this.#arrays.spliced(old, { at: old.length, taken: 0, put: values }));
  }

  /** Takes out the elements of an array that are not to be kept. */
  keep(spot: Spot, isKept: (element: Json) => boolean): void {
    const kept = (this.array(spot) ?? []).flatMap((element, index) => (isKept(element) ? [index] : []));
    if (kept.length === (this.array(spot) ?? []).length) return;
    this.#writeArray(spot, (old) => this.#arrays.chosen(old, kept));
  }

  /** `undefined`: nothing stands there. */
  array(spot: Spot): readonly Json[] | undefined {
    const value = this.peek(spot) ?? undefined;
    if (value === undefined || Array.isArray(value)) return value;
    throw refused('document_conflict', spot, `no array stands at ${toPointer(spot.steps)}`);
  }

  /** Where it is, without the indexes of elements. */
  pathOf({ steps }: Spot): string {
    let holder: Json | undefined = this.#root;
    const named: string[] = [];
    for (const step of steps) {
      if (!Array.isArray(holder)) named.push(step);
      holder = holder === undefined ? undefined : memberOf(holder, step);
    }
    return named.join('.');
  }

  mustSee(path: string, spot: Pick<Spot, 'at'>): void {
    if (this.#bounds.hidden.some((hidden) => isWithin(path, hidden))) throw refused('forbidden', spot, `you may not read ${path}`);
  }

  copy(from: Spot, to: Spot): void {
    this.add(to, this.#copied(this.read(from), from));
  }

  /** What the caller does not see of an element stays with it within its array, and is left behind by whatever leaves its place. */
  move(from: Spot, to: Spot): void {
    const value = this.read(from);
    if (isSteps(from.steps, to.steps)) return this.#mustWrite(to);
    if (isSteps(from.steps, to.steps.slice(0, from.steps.length))) throw refused('document_invalid', to, 'lies within what is moved');
    const [above, at] = [from.steps.slice(0, -1), from.steps.at(-1) ?? ''];
    const holder = this.#must({ ...from, steps: above }, 'look');
    if (!Array.isArray(holder) || !isSteps(above, to.steps.slice(0, -1))) {
      const copied = this.#copied(value, from);
      this.remove(from);
      return this.add(to, copied);
    }
    const index = mustIndex(to, holder.length, holder.length - 1);
    const order = holder.map((_, each) => each).toSpliced(Number(at), 1).toSpliced(index, 0, Number(at));
    this.#write({ ...to, steps: [...above, at] }, (array) => this.#arrays.chosen(array as readonly Json[], order));
  }

  /** Where in the patch that stands which made a place of the document what it is. */
  placeInPatch({ at, detail, ...error }: FieldError): FieldError {
    const above = this.#writes.findLast(({ steps }) => `${at}/`.startsWith(`${toPointer(steps)}/`));
    if (above?.value !== undefined) return { ...error, at: above.value + at.slice(toPointer(above.steps).length), detail };
    const write = above ?? this.#writes.findLast(({ steps }) => toPointer(steps).startsWith(`${at}/`));
    return { ...error, at: write?.at ?? '', detail: `${at === '' ? 'the document' : at}: ${detail}` };
  }

  /** What stands there, or what it stands in where it is only to be named; refuses to look where the caller may not. */
  #find({ steps, at }: Spot, how: 'look' | 'name'): Json | undefined {
    let value: Json | undefined = this.#root;
    let path = '';
    for (const [index, step] of steps.entries()) {
      if (!Array.isArray(value)) path = path === '' ? step : `${path}.${step}`;
      if (how === 'name' && index === steps.length - 1) break;
      if (this.#bounds.hidden.includes(path)) throw refused('forbidden', { at }, `you may not read ${path}`);
      value = value === undefined ? undefined : memberOf(value, step);
    }
    return value;
  }

  #must(spot: Spot, how: 'look' | 'name'): Json {
    const found = this.#find(spot, how);
    if (found !== undefined) return found;
    const missing = spot.steps.findIndex((_, index) => this.#at(spot.steps.slice(0, index + 1)) === undefined);
    throw refused('document_conflict', spot, `nothing stands at ${toPointer(spot.steps.slice(0, missing + 1))}`);
  }

  #at(steps: readonly string[]): Json | undefined {
    return steps.reduce((value: Json | undefined, step) => (value === undefined ? undefined : memberOf(value, step)), this.#root);
  }

  #mustWrite({ steps: [first], at }: Spot): void {
    if (first !== undefined && this.#bounds.kept.includes(first)) throw refused('document_invalid', { at }, `${first} is never written`);
  }

  #put(spot: Spot, value: Json, change: Change): void {
    this.#bring(value, spot.steps.length, spot);
    if (spot.steps.length > 0) return this.#write(spot, change);
    if (!isJsonObject(value)) throw refused('document_invalid', spot, 'a document is an object');
    const { document } = this;
    const kept = this.#bounds.kept.filter((name) => Object.hasOwn(document, name));
    const other = this.#bounds.kept.find((name) => Object.hasOwn(value, name) && !isSameJson(value[name], ownOf(document, name)));
    if (other !== undefined) throw refused('document_invalid', spot, `${other} is never written`);
    this.#root = { ...Object.fromEntries(kept.map((name) => [name, document[name] ?? null])), ...value };
    this.#writes.push(spot);
  }

  #write(spot: Spot, change: Change): void {
    if (spot.steps.length === 0) throw refused('document_invalid', spot, 'a document is removed by DELETE');
    this.#root = this.#within(this.#root, spot.steps, change);
    this.#writes.push(spot);
  }

  /** Whatever leads to the place is there. */
  #within(holder: Json, [step = '', ...rest]: readonly string[], change: Change): Json {
    if (rest.length === 0) return change(holder, step);
    const value = Array.isArray(holder) ? holder[Number(step)] : ownOf(holder as JsonObject, step);
    return this.#with(holder, step, this.#within(value ?? null, rest, change));
  }

  #writeArray(spot: Spot, change: (old: readonly Json[]) => Json): void {
    this.#write(spot, (holder, step) => this.#with(holder, step, change(memberOf(holder, step) as readonly Json[])));
  }

  #with(holder: Json, step: string, value: Json): Json {
    if (Array.isArray(holder)) return holder[Number(step)] === value ? holder : this.#arrays.with(holder, Number(step), value);
    const own = this.#owned(holder as JsonObject);
    own[step] = value;
    return own;
  }

  #owned(holder: JsonObject): Record<string, Json> {
    const own = this.#own.get(holder) ?? { ...holder };
    this.#own.set(own, own);
    return own;
  }

  #bring(value: Json, level: number, spot: Spot): void {
    if (typeof value !== 'object' || value === null) return;
    const { nestingLevelsMax } = limits;
    if (level > nestingLevelsMax) throw refused('document_invalid', spot, `more than ${nestingLevelsMax} levels of nesting`);
    if (Array.isArray(value)) this.#arrays.bring(value);
    for (const each of Object.values(value)) this.#bring(each as Json, level + 1, spot);
  }

  #copied(value: Json, spot: Spot): Json {
    this.#copiedCharacters += typeof value === 'string' ? value.length : 8;
    if (this.#copiedCharacters > limits.patchCopiedCharactersMax) {
      throw refused('document_invalid', spot, `a patch copies at most ${limits.patchCopiedCharactersMax} characters`);
    }
    if (Array.isArray(value)) return value.map((each: Json) => this.#copied(each, spot));
    if (!isJsonObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, this.#copied(each, spot)]));
  }
}

function isSteps(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index]);
}

function mustObject(holder: Json, spot: Spot): JsonObject {
  if (isJsonObject(holder)) return holder;
  throw refused('document_conflict', spot, `no object stands at ${toPointer(spot.steps.slice(0, -1))}`);
}

function mustIndex(spot: Spot, length: number, last: number): number {
  const step = spot.steps.at(-1) ?? '';
  const index = step === '-' ? last : toIndex(step, length);
  if (index === undefined) throw refused('document_conflict', spot, `nothing stands at ${toPointer(spot.steps)}`);
  return index;
}

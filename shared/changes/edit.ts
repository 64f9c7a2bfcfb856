/**
 * A document while a patch changes it place by place, as its caller sees it (SEMANTICS §17). What the caller does not see is not
 * there to be read, compared, moved or taken out by name, so that nothing is learnt by trying. Nothing of the document that was
 * given is changed. Where elements of an array come, go and change places, it is kept which stored element each is.
 */
import { tellElements, toldElements } from '../contract/elements.ts';
import { isSameJson } from '../contract/settled.ts';
import { Fault, type FaultReason, type FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { limits } from '../wire/limits.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';
import type { Spot } from './spot.ts';

interface Bounds {
  /** Paths that the caller does not see. */
  readonly hidden: readonly string[];
  /** Members that Tombolo keeps: they are read, and never written. */
  readonly kept: readonly string[];
}

type Change = (holder: Json, step: string) => Json;

interface Splice {
  readonly at: number;
  readonly taken: number;
  readonly put: readonly Json[];
}

export class Edit {
  #root: Json;
  readonly #bounds: Bounds;
  /** Arrays that a patch brought along: which of their elements are stored ones is to be matched. */
  readonly #brought = new WeakSet<readonly Json[]>();
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
    return this.#find(spot, 'read');
  }

  test(spot: Spot, value: Json): void {
    if (!isSameJson(this.read(spot), value)) throw refused('document_conflict', spot, 'is not what the test says');
  }

  /** Sets a member, or puts an element in before the one of that index; `-` is behind the last (RFC 6902 §4.1). */
  add(spot: Spot, value: Json): void {
    this.#mustWrite(spot);
    const holder = this.#find(spot, 'write');
    const steps = Array.isArray(holder) ? spot.steps.with(-1, String(mustIndex(spot, holder.length + 1, holder.length))) : spot.steps;
    this.#put({ ...spot, steps }, value, (holder, step) =>
      Array.isArray(holder)
        ? this.#spliced(holder, { at: Number(step), taken: 0, put: [value] })
        : { ...mustObject(holder, spot), [step]: value },
    );
  }

  replace(spot: Spot, value: Json): void {
    this.#mustWrite(spot);
    this.#find(spot, 'read');
    this.#put(spot, value, (holder, step) => this.#with(holder, step, value));
  }

  remove(spot: Spot): void {
    this.#mustWrite(spot);
    this.#find(spot, 'read');
    this.#write(spot, (holder, step) => {
      if (Array.isArray(holder)) return this.#spliced(holder, { at: Number(step), taken: 1, put: [] });
      const { [step]: _removed, ...others } = holder as JsonObject;
      return others;
    });
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
    const holder = this.#find({ ...from, steps: above }, 'read');
    if (!Array.isArray(holder) || !isSteps(above, to.steps.slice(0, -1))) {
      const copied = this.#copied(value, from);
      this.remove(from);
      return this.add(to, copied);
    }
    const index = mustIndex(to, holder.length, holder.length - 1);
    this.#write({ ...to, steps: [...above, at] }, (array) => this.#moved(array as readonly Json[], Number(at), index));
  }

  /** Where in the patch that stands which made a place of the document what it is. */
  placeInPatch({ at, detail, ...error }: FieldError): FieldError {
    const above = this.#writes.findLast(({ steps }) => `${at}/`.startsWith(`${toPointer(steps)}/`));
    if (above?.value !== undefined) return { ...error, at: above.value + at.slice(toPointer(above.steps).length), detail };
    const write = above ?? this.#writes.findLast(({ steps }) => toPointer(steps).startsWith(`${at}/`));
    return { ...error, at: write?.at ?? '', detail: `${at === '' ? 'the document' : at}: ${detail}` };
  }

  #find({ steps, at }: Spot, how: 'read' | 'write'): Json {
    let value: Json | undefined = this.#root;
    let path = '';
    for (const [index, step] of steps.entries()) {
      const isNamed = how === 'write' && index === steps.length - 1;
      if (!Array.isArray(value)) path = path === '' ? step : `${path}.${step}`;
      if (!isNamed && this.#bounds.hidden.includes(path)) throw refused('forbidden', { at }, `you may not read ${path}`);
      if (isNamed) break;
      value = Array.isArray(value) ? value[toIndex(step, value.length) ?? -1] : isJsonObject(value) ? ownOf(value, step) : undefined;
      if (value === undefined) throw refused('document_conflict', { at }, `nothing stands at ${toPointer(steps.slice(0, index + 1))}`);
    }
    return value ?? null;
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

  #with(holder: Json, step: string, value: Json): Json {
    if (!Array.isArray(holder)) return { ...(holder as JsonObject), [step]: value };
    return this.#told(holder, holder.with(Number(step), value), (matches) => matches);
  }

  #spliced(holder: readonly Json[], { at, taken, put }: Splice): Json {
    const none = put.map(() => undefined);
    return this.#told(holder, holder.toSpliced(at, taken, ...put), (matches) => matches.toSpliced(at, taken, ...none));
  }

  #moved(holder: readonly Json[], from: number, to: number): Json {
    const move = <T>(list: readonly T[]): readonly T[] => list.toSpliced(from, 1).toSpliced(to, 0, ...list.slice(from, from + 1));
    return this.#told(holder, move(holder), move);
  }

  /** The array that was made of another, told whose its elements are as that one was. */
  #told(
    old: readonly Json[], made: readonly Json[],
    change: (matches: readonly (number | undefined)[]) => readonly (number | undefined)[],
  ): Json {
    if (!this.#brought.has(old)) return tellElements(made, change(toldElements(old) ?? old.map((_, index) => index)));
    this.#brought.add(made);
    return made;
  }

  #bring(value: Json, level: number, spot: Spot): void {
    if (typeof value !== 'object' || value === null) return;
    const { nestingLevelsMax } = limits;
    if (level > nestingLevelsMax) throw refused('document_invalid', spot, `more than ${nestingLevelsMax} levels of nesting`);
    if (Array.isArray(value)) this.#brought.add(value);
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

/** `forbidden` is said of the path, whatever stands there. */
function refused(reason: FaultReason, { at }: Pick<Spot, 'at'>, detail: string): Fault {
  return new Fault(reason, { detail: `${at}: ${detail}`, errors: [{ at, in: 'body', detail }] });
}

function isSteps(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((step, index) => step === right[index]);
}

function mustObject(holder: Json, spot: Spot): JsonObject {
  if (isJsonObject(holder)) return holder;
  throw refused('document_conflict', spot, `no object stands at ${toPointer(spot.steps.slice(0, -1))}`);
}

/** An index without leading zeros (RFC 6901 §4). */
function toIndex(step: string, length: number): number | undefined {
  return /^(?:0|[1-9]\d{0,9})$/.test(step) && Number(step) < length ? Number(step) : undefined;
}

function mustIndex(spot: Spot, length: number, last: number): number {
  const step = spot.steps.at(-1) ?? '';
  const index = step === '-' ? last : toIndex(step, length);
  if (index === undefined) throw refused('document_conflict', spot, `nothing stands at ${toPointer(spot.steps)}`);
  return index;
}

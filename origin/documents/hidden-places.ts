/**
 * What a write says of places that its caller does not see, and what it leaves of them (SEMANTICS §17). What was not shown
 * could not be sent back: it stays where what it stands in stays.
 */
import { matchElements } from '../../shared/contract/elements.ts';
import { toPathTree, without } from '../../shared/contract/path.ts';
import { satisfies } from '../../shared/contract/rules.ts';
import { placeOf } from '../../shared/contract/schema-places.ts';
import type { Type } from '../../shared/contract/schema-tree.ts';
import { settled } from '../../shared/contract/settled.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { guardedFields } from './present.ts';

export interface Sent {
  readonly body: JsonObject;
  /** What its caller saw of the document that a whole one takes the place of: what is not in the body any more is to go. */
  readonly replaces: JsonObject | undefined;
}

export function hiddenPaths({ resource, principal }: Pick<Asked, 'resource' | 'principal'>, document: JsonObject): readonly string[] {
  return guardedFields(resource, principal).filter(([, rule]) => !satisfies(document, rule)).map(([path]) => path);
}

/** What the caller sees of a document. */
export function shownOf(document: JsonObject, hidden: readonly string[]): JsonObject {
  return hidden.length === 0 ? document : without(document, toPathTree(hidden));
}

/** Whether a write speaks of a place: of it, or of what it stands in, which is to go or to be something else. */
export function isNamed(path: string, { body, replaces }: Sent): boolean {
  return isNamedIn(body, replaces, path.split('.'));
}

function isNamedIn(sent: Json, replaces: Json | undefined, [step = '', ...rest]: readonly string[]): boolean {
  if (Array.isArray(sent)) return sent.some((each: Json) => isJsonObject(each) && isNamedIn(each, undefined, [step, ...rest]));
  if (!isJsonObject(sent)) return true;
  const stood = isJsonObject(replaces) ? ownOf(replaces, step) : undefined;
  const value = ownOf(sent, step);
  if (rest.length === 0) return value !== undefined;
  return value === undefined ? stood !== null && typeof stood === 'object' : isNamedIn(value, stood, rest);
}

/** Three views of one place: what was sent, what stood there, and what will. */
interface Views<Value> {
  readonly sent: Value;
  readonly before: Value;
  readonly next: Value;
}

/**
 * What will stand there, which was made of what the caller sees alone, with what stood at the hidden paths wherever it was not
 * named, and what was named laid over it.
 */
export function keepHidden(type: Type, hidden: readonly string[], { sent, before, next }: Views<JsonObject>): JsonObject {
  const shown = shownOf(before, hidden);
  const views = { sent, before, shown, made: next };
  return hidden.reduce((kept, path) => asDocument(keptIn(type, { ...views, next: kept }, path.split('.'))), next);
}

/** What a document is kept in, or an object merged into, is one. */
export function asDocument(value: Json): JsonObject {
  return value as JsonObject;
}

interface ShownViews extends Omit<Views<Json | undefined>, 'next'> {
  /** What stood there as the caller saw it. */
  readonly shown: Json | undefined;
  /** What will, before any hidden path is kept in it: elements are matched by what could be seen and sent. */
  readonly made: Json | undefined;
  readonly next: Json;
}

function keptIn(type: Type | undefined, { sent, before, shown, made, next }: ShownViews, [step = '', ...rest]: readonly string[]): Json {
  const place = placeOf(type, next);
  if (Array.isArray(next) && Array.isArray(made) && Array.isArray(sent) && Array.isArray(before) && Array.isArray(shown)) {
    const matches = matchElements(place.element, made, shown, sent);
    return next.map((each: Json, index) => {
      const at = matches[index] ?? -1;
      const views = { sent: sent[index], before: before[at], shown: shown[at], made: made[index], next: each };
      return keptIn(place.element(index), views, [step, ...rest]);
    });
  }
  if (!isJsonObject(next) || !isJsonObject(sent) || !isJsonObject(before) || !isJsonObject(shown)) return next;
  const value = ownOf(next, step);
  const stood = ownOf(before, step);
  if (rest.length > 0) {
    if (value === undefined || !isJsonObject(made)) return next;
    const views = { sent: ownOf(sent, step), before: stood, shown: ownOf(shown, step), made: ownOf(made, step), next: value };
    return { ...next, [step]: keptIn(place.member(step), views, rest) };
  }
  if (Object.hasOwn(sent, step)) {
    const written = { sent: sent[step] ?? null, parsed: value ?? null };
    return value === undefined ? next : { ...next, [step]: settled(place.member(step), written, stood) };
  }
  const { [step]: _made, ...others } = next;
  return stood === undefined ? others : { ...others, [step]: stood };
}

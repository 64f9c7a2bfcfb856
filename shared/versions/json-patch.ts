/**
 * A JSON Patch of an older version as the current one says it (SEMANTICS §19). What one operation there cannot say is refused by
 * name; a merge patch says it.
 */
import type { PatchOperation } from '../changes/json-patch.ts';
import { stepsOf } from '../changes/spot.ts';
import { documentInvalid } from '../contract/documents.ts';
import { isWithin } from '../contract/path.ts';
import { Fault, type FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';
import { namedPlacesOf } from './changes.ts';
import type { Translation } from './translation.ts';

type Steps = readonly string[];

export function upJsonPatch(operations: readonly PatchOperation[], translation: Translation): readonly JsonObject[] {
  const errors: FieldError[] = [];
  const current = operations.map((operation, index): JsonObject => {
    const refuse = (member: string, detail: string) => void errors.push({ at: `/${index}/${member}`, in: 'body', detail });
    return upOperation(operation, translation, refuse);
  });
  if (errors.length > 0) throw documentInvalid(errors);
  return current;
}

type Refuse = (member: string, detail: string) => void;

function upOperation(operation: PatchOperation, translation: Translation, refuse: Refuse): JsonObject {
  const up = (member: 'path' | 'from', text: string): Steps | undefined => {
    const found = upSteps(stepsOf(text), translation);
    if (typeof found === 'string') refuse(member, found);
    return typeof found === 'string' ? undefined : found;
  };
  const steps = stepsOf(operation.path);
  const now = up('path', operation.path);
  if (now === undefined) return {};
  const path = toPointer(now);
  if ((operation.op === 'add' || 'from' in operation) && !isHeldAlike(steps, now, translation)) {
    refuse('path', 'stands in an object of the current version that may not be there; send a merge patch');
  }
  if ('from' in operation) {
    const from = up('from', operation.from);
    if (from !== undefined && !isAlike(stepsOf(operation.from), steps, translation)) {
      refuse('from', 'is of another form there in the current version; send a merge patch');
    }
    return { op: operation.op, from: toPointer(from ?? []), path };
  }
  if (!('value' in operation)) return { op: operation.op, path };
  return { op: operation.op, path, value: upValue(operation.value as Json, { steps, now }, translation, refuse) };
}

/** Where the place stands in the current version, or why it cannot be said. */
export function upSteps(steps: Steps, translation: Translation): Steps | string {
  const names = namesOf(steps);
  const path = names.join('.');
  if (path === '') return 'is a whole document, which is of another form in the current version; send a merge patch';
  const found = translation.nowPath(path);
  if (found === 'unknown' || found === 'several') {
    return found === 'unknown' ? 'unknown field' : 'is several places in the current version; send a merge patch';
  }
  const now = found.now.split('.');
  const alike = names.findIndex((name, index) => name !== now[index]);
  // Indexes stand within what both versions call alike, or behind the whole path.
  const same = alike < 0 ? steps.length : steps.indexOf(names[alike] ?? '', alike);
  const rest = steps.slice(same);
  const behind = rest.slice(rest.findLastIndex((step) => !isIndex(step)) + 1);
  if (namesOf(rest).length + behind.length !== rest.length) return 'is in another array in the current version; send a merge patch';
  return alike < 0 ? steps : [...steps.slice(0, same), ...now.slice(alike), ...behind];
}

interface Ends {
  readonly steps: Steps;
  readonly now: Steps;
}

/** By what the version makes of a document that holds the value alone. */
export function upValue(value: Json, { steps, now }: Ends, translation: Translation, refuse: Refuse): Json {
  try {
    return valueIn(translation.up(holding(value, steps), 'patch'), now);
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const place = toPointer(steps.map((step) => (isIndex(step) ? '0' : step)));
    for (const { at, detail } of thrown.errors) {
      if (`${at}/`.startsWith(`${place}/`)) refuse(`value${at.slice(place.length)}`, detail);
      else refuse('path', detail);
    }
    return null;
  }
}

/** A document that holds one value; an index leads to the one element of an array. */
function holding(value: Json, steps: Steps): JsonObject {
  return steps.reduceRight((held: Json, step) => (isIndex(step) ? [held] : { [step]: held }), value) as JsonObject;
}

function valueIn(document: JsonObject, steps: Steps): Json {
  return steps.reduce((held: Json, step) => {
    if (Array.isArray(held)) return (held as readonly Json[])[0] ?? null;
    return isJsonObject(held) ? (ownOf(held, step) ?? null) : null;
  }, document);
}

/** Whether what holds the one is what holds the other: then it is there in both versions. */
function isHeldAlike(steps: Steps, now: Steps, translation: Translation): boolean {
  if (isIndex(steps.at(-1) ?? '')) return true;
  const [old, above] = [namesOf(steps).slice(0, -1).join('.'), namesOf(now).slice(0, -1).join('.')];
  if (old === '') return above === '';
  const found = translation.nowPath(old);
  return typeof found === 'object' && found.now === above;
}

/** Whether a value of the one place is the same at the other, in either version. */
function isAlike(from: Steps, to: Steps, translation: Translation): boolean {
  return namesOf(from).join('.') === namesOf(to).join('.') || (isPlain(from, translation) && isPlain(to, translation));
}

/** Whether the values of a place are the same in both versions, whatever it is called. */
export function isPlain(steps: Steps, translation: Translation): boolean {
  const path = namesOf(steps).join('.');
  const found = translation.nowPath(path);
  const changed = translation.levels.flatMap((level) => namedPlacesOf(level.changes));
  return typeof found === 'object' && !found.isConverted && !changed.some((at) => at !== path && at !== found.now && isWithin(at, path));
}

function namesOf(steps: Steps): Steps {
  return steps.filter((step) => !isIndex(step));
}

/** `-` is behind the last element (RFC 6901 §4). */
function isIndex(step: string): boolean {
  return /^(?:0|[1-9]\d*|-)$/.test(step);
}

/** Values that a schema names, its defaults and examples, as an older version has them. */
import type { Draft } from '../contract/draft.ts';
import { holdersOf, isWithin } from '../contract/path.ts';
import { namedPlacesOf } from '../versions/changes.ts';
import type { Level } from '../versions/level.ts';
import { movesOf } from '../versions/places.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { branchesOf } from './schema-nodes.ts';

/** Places of the newer version whose values are others in the older: what changes by itself, and what holds a change. */
export function changedPlaces({ changes }: Level): readonly string[] {
  const holders = namedPlacesOf(changes).flatMap(holdersOf);
  return [...new Set(['', ...holders, ...changes.flatMap((change) => (change.kind === 'converted' ? [change.at] : []))])];
}

/** Changes the values that a schema names of a place of the newer version; those that lack what moves in from elsewhere go. */
export function retell(schema: Draft, path: string, level: Level): void {
  const isWhole = path === '' || !movesOf(level.changes).some(({ old, now }) => isWithin(old, path) && !isWithin(now, path));
  retellIn(schema, (value, isElement) => (isWhole ? downAt(level, path, value, isElement) : undefined), false);
}

type Down = (value: Json, isElement: boolean) => Json | undefined;

function retellIn(schema: Draft, down: Down, isElement: boolean): void {
  const { default: standard, examples } = schema;
  const told: Readonly<Record<string, Json | undefined>> = {
    default: standard === undefined ? undefined : down(standard as Json, isElement),
    examples: Array.isArray(examples) ? listOf((examples as readonly Json[]).map((value) => down(value, isElement))) : undefined,
  };
  for (const [name, value] of Object.entries(told)) {
    if (value === undefined) delete schema[name];
    else schema[name] = value;
  }
  for (const branch of branchesOf(schema)) retellIn(branch, down, isElement || branch === schema['items']);
}

function listOf(values: readonly (Json | undefined)[]): readonly Json[] | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known;
}

/** `isElement`: the value is one of those that an array there holds. */
function downAt(level: Level, path: string, value: Json, isElement: boolean): Json | undefined {
  if (path === '') return isJsonObject(value) ? level.down(value) : value;
  const steps = path.split('.');
  const isMany = (depth: number) =>
    (isElement || depth < steps.length) && level.now.get(steps.slice(0, depth).join('.'))?.isMany === true;
  const document = steps.reduceRight<Json>((inner, step, index) => ({ [step]: isMany(index + 1) ? [inner] : inner }), value);
  return valueIn(level.down(document as JsonObject), (level.oldOf(path)[0] ?? path).split('.'), isElement);
}

/** Elements are the only ones of their arrays. */
function valueIn(value: Json | undefined, [step, ...rest]: readonly string[], isElement: boolean): Json | undefined {
  if (value === undefined || step === undefined) return isElement && Array.isArray(value) ? (value[0] as Json | undefined) : value;
  const object = Array.isArray(value) ? (value[0] as Json | undefined) : value;
  return object !== undefined && isJsonObject(object) ? valueIn(object[step], rest, isElement) : undefined;
}

/** What a schema names for an object that the older version does not have, its members there are named by. */
export function sink(schema: Draft, name: string, member: Draft): void {
  const { default: standard, examples } = schema;
  const of = (value: Json) => (isJsonObject(value) ? value[name] : undefined);
  const shown = Array.isArray(examples) ? listOf((examples as readonly Json[]).map(of)) : undefined;
  const initial = standard === undefined ? undefined : of(standard as Json);
  if (initial !== undefined) member['default'] ??= initial;
  if (shown !== undefined) member['examples'] ??= shown;
}

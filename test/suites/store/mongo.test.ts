import { isJsonObject, type Json } from '../../../shared/wire/values.ts';
import { naiveValue } from '../../support/naive-path.ts';
import { openMongoPlace } from './mongo-place.ts';
import { storeSuite } from './suite.ts';

storeSuite('mongodb', openMongoPlace, ({ indexes }, document) =>
  indexes.every(({ equal, has = 'id', sort }) => !hasParallelArrays(document, [...equal, has, ...sort.map(({ field }) => field)])),
);

/** MongoDB refuses a document, or the index, where two fields of one index lead through two arrays. */
function hasParallelArrays(value: Json, paths: readonly string[]): boolean {
  const [array, ...others] = new Set(paths.flatMap((path) => firstArray(value, path)));
  if (array === undefined || others.length > 0) return array !== undefined;
  const inside = paths.flatMap((path) => (path.startsWith(`${array}.`) ? [path.slice(array.length + 1)] : []));
  const elements = naiveValue(value, array) as readonly Json[];
  return elements.some((element) => isJsonObject(element) && hasParallelArrays(element, inside));
}

/** The path of the first array that a path leads through, or to. */
function firstArray(value: Json, path: string): readonly string[] {
  const steps = path.split('.');
  const prefixes = steps.map((_step, index) => steps.slice(0, index + 1).join('.'));
  return prefixes.filter((prefix) => Array.isArray(naiveValue(value, prefix))).slice(0, 1);
}

/** What stands at a path, the slow and obvious way (SEMANTICS §14). */
import { isJsonObject, type Json } from '../../shared/wire/values.ts';

/** `undefined`: missing, as where something that is no object is on the way. */
export function naiveValue(value: Json | undefined, path: string): Json | undefined {
  const [step, ...rest] = path.split('.');
  const member = isJsonObject(value) && step !== undefined && Object.hasOwn(value, step) ? value[step] : undefined;
  return rest.length === 0 ? member : naiveValue(member, rest.join('.'));
}

/** Of a path that is many: those of each element, where an array stands on the way or at its end. */
export function naiveValues(value: Json | undefined, path: string): readonly Json[] {
  const [step = '', ...rest] = path.split('.');
  const member = naiveValue(value, step);
  const elements: readonly Json[] = member === undefined ? [] : Array.isArray(member) ? member : [member];
  return rest.length === 0 ? elements : elements.flatMap((element) => naiveValues(element, rest.join('.')));
}

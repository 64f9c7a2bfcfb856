/** What a schema says that no document can hold: found at start, since each write would fail for ever. */
import { type Check, definitionOf, kindOfType } from '../contract/fields.ts';
import { unwrapped } from '../contract/open-schema.ts';
import { partsOf, type Type, typesWithin } from '../contract/schema-tree.ts';
import { limits } from '../wire/limits.ts';
import type { Mistakes } from './mistakes.ts';

/** Types without a form in JSON, and what to declare in their place. */
const unfit: Readonly<Record<string, string>> = {
  date: 'a date has no form in JSON; use instant()',
  bigint: 'a bigint has no form in JSON; use integer(), or a string of digits',
  symbol: 'a symbol has no form in JSON; use z.enum()',
  set: 'a set has no form in JSON; use z.array()',
  map: 'a map has no form in JSON; use z.record()',
  promise: 'a promise has no form in JSON; use the type that it promises',
  function: 'a function has no form in JSON',
  file: 'a file has no form in JSON; use z.url() of where it is kept',
  nan: 'NaN has no form in JSON; use z.number().nullable()',
  undefined: 'undefined has no form in JSON; use .optional()',
  void: 'void has no form in JSON; use .optional()',
};

/** `at`: the key that the schema is declared under. */
export function checkSchema(schema: Type, mistakes: Mistakes, at = 'schema'): void {
  for (const { type, path } of typesWithin(schema, at)) {
    const detail =
      unfit[definitionOf(type).type] ??
      toInstantMistake(type) ??
      (isAsynchronous(type) ? 'is asynchronous; what a document is checked by answers at once' : undefined);
    if (detail !== undefined) mistakes.add(path, detail);
    for (const { step } of partsOf(type)) {
      if (isInherited(step.slice(1))) mistakes.add(path + step, 'is a name that every object inherits; use another, and storedAs');
    }
  }
}

/** zod reads the member of such a name from an object's prototype where a document has none. */
export function isInherited(name: string): boolean {
  return name in Object.prototype;
}

interface Disagreement {
  readonly path: string;
  readonly detail: string;
}

/** Why a member of several objects is not of one type in all, at any depth; what nobody asks for may differ (SEMANTICS §14). */
export function whyDisagree(types: readonly Type[], path = '', levels: number = limits.nestingLevelsMax): Disagreement | undefined {
  const distinct = [...new Set(types.map(unwrapped))];
  if (distinct.length < 2 || levels === 0) return undefined;
  const [kind, ...others] = new Set(distinct.map(kindOfType).filter((each) => each !== 'mixed'));
  if (others.length > 0) {
    return { path, detail: `is ${[kind, ...others].join(' and ')}; branches agree on the type of a name that they share` };
  }
  const steps = distinct.flatMap(partsOf).filter(({ step }) => (kind === 'object' ? step.startsWith('.') : kind === 'array'));
  for (const [step, found] of Map.groupBy(steps, (part) => part.step)) {
    const disagreement = whyDisagree(found.map(({ type }) => type), path + step, levels - 1);
    if (disagreement !== undefined) return disagreement;
  }
  return undefined;
}

function toInstantMistake(type: Type): string | undefined {
  if (definitionOf(type).type !== 'string' || kindOfType(type) !== 'instant') return undefined;
  const forms = [definitionOf(type), ...(definitionOf(type).checks ?? []).map((check) => check._zod.def)];
  if (forms.some(({ local }) => local === true)) return 'a local time is no instant; use instant(), or z.iso.date() and z.iso.time()';
  if (forms.some(({ precision = null }) => precision !== null && precision !== 3)) {
    return 'an instant has milliseconds; leave precision out, or use instant()';
  }
  return undefined;
}

/** zod does not tell, so what the team wrote is tried with a plain value of the type. */
function isAsynchronous(type: Type): boolean {
  const value = sampleOf(type);
  const checks = [...(definitionOf(type).checks ?? []), ...(type._zod.traits.has('$ZodCheck') ? [asCheck(type)] : [])];
  return checks.some((check) => isPromise(() => check._zod.check({ value, issues: [] }))) || isPromiseOfTransform(type);
}

function isPromiseOfTransform(type: Type): boolean {
  const { type: kind, in: before } = definitionOf(type);
  if (kind !== 'pipe' || before === undefined) return false;
  const value = sampleOf(before);
  return [type, ...partsOf(type).map((part) => part.type)].some((part) => {
    const { transform } = definitionOf(part);
    return transform !== undefined && isPromise(() => transform(value, { value, issues: [] }));
  });
}

function isPromise(run: () => unknown): boolean {
  try {
    const result = run();
    if (!(result instanceof Promise)) return false;
    result.catch(() => undefined);
    return true;
  } catch {
    return false;
  }
}

function sampleOf(type: Type): unknown {
  const { type: kind, innerType } = definitionOf(type);
  if (innerType !== undefined) return sampleOf(innerType);
  const samples: Readonly<Record<string, unknown>> = {
    string: '', number: 0, boolean: false, array: [], tuple: [],
    object: {},
    record: {},
  };
  return samples[kind];
}

/** A format and a custom type are checks, too; their trait says so. */
function asCheck(type: Type): Check {
  return type as unknown as Check;
}

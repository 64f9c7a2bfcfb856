/**
 * What no schema lets through, wherever it stands in a body (SEMANTICS §4): numbers that JSON cannot keep, members
 * named `__proto__`, text that is not Unicode, and nesting past its bound. One walk over the value as it was parsed,
 * before anything else looks at it; it goes no deeper than the bound, so that nobody behind it can be made to either.
 */
import { limits } from '../wire/limits.ts';

export interface BodyError {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

const none: readonly never[] = [];

export function toBodyErrors(body: unknown): readonly BodyError[] {
  if (isSound(body, 0)) return none;
  const errors: BodyError[] = [];
  walk(body, [], errors);
  return errors;
}

function walk(value: unknown, path: PropertyKey[], errors: BodyError[]): void {
  if (errors.length > limits.problemErrorsMax) return;
  if (value === null || typeof value !== 'object') {
    const detail = toScalarError(value);
    if (detail !== undefined) errors.push({ path: [...path], message: detail });
  } else if (path.length > limits.nestingLevelsMax) {
    errors.push({ path: path.slice(0, 1), message: `more than ${limits.nestingLevelsMax} levels of nesting` });
  } else if (Array.isArray(value)) {
    value.forEach((element: unknown, index) => walkInto(element, index, path, errors));
  } else {
    for (const [name, member] of Object.entries(value)) walkMember(name, member, path, errors);
  }
}

function walkMember(name: string, member: unknown, path: PropertyKey[], errors: BodyError[]): void {
  const message = toNameError(name);
  if (message === undefined) walkInto(member, name, path, errors);
  // A name that is no text is not told.
  else errors.push({ path: name.isWellFormed() ? [...path, name] : [...path], message });
}

function walkInto(value: unknown, step: PropertyKey, path: PropertyKey[], errors: BodyError[]): void {
  path.push(step);
  walk(value, path, errors);
  path.pop();
}

/** Whether the walk finds nothing, as it does in nearly every body: without a path to keep it takes a third of the time. */
function isSound(value: unknown, levels: number): boolean {
  if (value === null || typeof value !== 'object') return toScalarError(value) === undefined;
  if (levels > limits.nestingLevelsMax) return false;
  if (Array.isArray(value)) return value.every((element) => isSound(element, levels + 1));
  for (const [name, member] of Object.entries(value)) {
    if (toNameError(name) !== undefined || !isSound(member, levels + 1)) return false;
  }
  return true;
}

function toNameError(name: string): string | undefined {
  if (name === '__proto__') return 'is a name that no member may have';
  return name.isWellFormed() ? undefined : 'has a member whose name is not Unicode (a lone surrogate)';
}

/** JSON.parse makes an infinity of a number past the range of a double. */
function toScalarError(value: unknown): string | undefined {
  if (typeof value === 'number' && !Number.isFinite(value)) return 'is a number past what JSON can carry here';
  if (typeof value === 'string' && !value.isWellFormed()) return 'is text that is not Unicode (a lone surrogate)';
  return undefined;
}

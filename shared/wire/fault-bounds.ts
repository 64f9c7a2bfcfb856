/**
 * What a refusal says is bounded where it is made, so that neither a problem document nor a line of the log grows
 * with what a client sends: 8 KB of unknown parameters must not be answered by 600 KB.
 */
import type { FieldError } from './fault.ts';
import { limits } from './limits.ts';

/** The first of the errors, each cut to its bound, as many as fit. */
export function toBoundedErrors(errors: readonly FieldError[]): readonly FieldError[] {
  const shown: FieldError[] = [];
  let left: number = limits.problemErrorsCharactersMax;
  for (const error of errors.slice(0, limits.problemErrorsMax)) {
    const cut = {
      ...error,
      at: cutText(error.at, limits.problemErrorCharactersMax),
      detail: cutText(error.detail, limits.problemErrorCharactersMax),
    };
    left -= JSON.stringify(cut).length;
    if (left < 0) break;
    shown.push(cut);
  }
  return shown;
}

/** `hidden`: how many errors are there beside those that are listed. */
export function toBoundedDetail(detail: string | undefined, hidden: number): string | undefined {
  const more = hidden > 0 ? `and ${hidden} more` : undefined;
  if (detail === undefined) return more;
  const cut = cutText(detail, limits.problemDetailCharactersMax);
  return more === undefined ? cut : `${cut}; ${more}`;
}

/** Facts for the log: texts cut, lists and objects shortened, nothing deeper than a fact has reason to be. */
export function toBoundedFacts(facts: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return boundedObject(facts, 3);
}

function boundedObject(given: object, levels: number): Record<string, unknown> {
  const entries = Object.entries(given).slice(0, limits.problemErrorsMax);
  return Object.fromEntries(entries.map(([name, value]) => [cutText(name, limits.problemErrorCharactersMax), bounded(value, levels - 1)]));
}

function bounded(value: unknown, levels: number): unknown {
  if (typeof value === 'string') return cutText(value, limits.problemDetailCharactersMax);
  if (typeof value !== 'object' || value === null) return value;
  if (levels === 0) return '…';
  return Array.isArray(value)
    ? value.slice(0, limits.problemErrorsMax).map((inner) => bounded(inner, levels - 1))
    : boundedObject(value, levels);
}

/** The text cut to its bound, without half of a surrogate pair at its end. */
function cutText(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : `${text.slice(0, charactersMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Refusals in the words of an older version: the pointers of bodies, the names of parameters, and both where they are told. */
import { downOperatorPointer } from '../../shared/versions/operators.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';

export function downFault(fault: Fault, translation: Translation): Fault {
  const { reason, detail, errors, headers, members, facts, cause } = fault;
  return new Fault(reason, {
    ...(detail === undefined ? {} : { detail: downDetail(detail, translation) }),
    errors: downErrors(errors, translation), headers, members, facts, cause,
  });
}

/** The same of a refusal that is JSON already: a problem document, or a line of a report. */
export function downTold({ detail, errors, ...told }: JsonObject, translation: Translation): JsonObject {
  return {
    ...told,
    ...(typeof detail === 'string' ? { detail: downDetail(detail, translation) } : {}),
    ...(errors === undefined ? {} : { errors: asJson(downErrors(asErrors(errors), translation)) }),
  };
}

/** Whoever signed the answer made them by `toProblem`. */
function asErrors(errors: Json): readonly FieldError[] {
  return errors as unknown as readonly FieldError[];
}

function asJson(errors: readonly FieldError[]): Json {
  return errors as unknown as Json;
}

function downErrors(errors: readonly FieldError[], translation: Translation): readonly FieldError[] {
  return errors.map((error) => ({
    ...error,
    at: error.in === 'body' ? downPlace(error.at, translation) : error.in === 'query' ? translation.downName(error.at) : error.at,
    detail: downDetail(error.detail, translation),
  }));
}

/** A place of a document, or of operators that name one. */
function downPlace(given: string, translation: Translation): string {
  // Of several documents, one of them.
  const [, item = '', at = given] = /^(\/\d+\/(?:merge|patch|changes))(\/.*)$/.exec(given) ?? [];
  return item + downPlaceOfOne(at, translation);
}

function downPlaceOfOne(at: string, translation: Translation): string {
  const old = translation.downPointer(at);
  return old === at ? downOperatorPointer(at, translation) : old;
}

/** Where words name a place they quote it, or begin with it and a colon. */
function downDetail(detail: string, translation: Translation): string {
  return detail
    // A shape is told by the paths that it serves: in an order, by themselves, or as parameters.
    .replace(/(?<=sort=)[\w.,-]+|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+|[A-Za-z_]\w*(?=\[[a-z|]+\]|=)/g, (found, at: number) => {
      return detail.slice(0, at).endsWith('sort=') ? translation.downValue('sort', found) : translation.downPath(found);
    })
    .replace(/"([^"\s]{1,200})"/g, (_whole, path: string) => `"${translation.downPath(path)}"`)
    .replace(/(^|; )([^\s:;]{1,200}):/g, (_whole, start: string, place: string) => {
      return `${start}${place.startsWith('/') ? downPlace(place, translation) : translation.downName(place)}:`;
    });
}

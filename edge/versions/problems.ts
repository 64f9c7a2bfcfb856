/** Refusals in the words of an older version: the pointers of bodies, the names of parameters, and both where they are told. */
import type { Translation } from '../../shared/versions/translation.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';

export function downFault(fault: Fault, translation: Translation): Fault {
  const { reason, detail, errors, headers, members, facts, cause } = fault;
  return new Fault(reason, {
    ...(detail === undefined ? {} : { detail: downDetail(detail, translation) }),
    errors: downErrors(errors, translation), headers, members, facts, cause,
  });
}

export function downErrors(errors: readonly FieldError[], translation: Translation): readonly FieldError[] {
  return errors.map((error) => ({
    ...error,
    at: error.in === 'body' ? translation.downPointer(error.at) : error.in === 'query' ? downParameter(error.at, translation) : error.at,
    detail: downDetail(error.detail, translation),
  }));
}

function downParameter(name: string, translation: Translation): string {
  const [path = name] = name.split('[', 1);
  return `${translation.downPath(path)}${name.slice(path.length)}`;
}

/** Where words name a place they quote it, or begin with it and a colon. */
export function downDetail(detail: string, translation: Translation): string {
  return detail
    // A shape is told by the paths that it serves.
    .replace(/[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)+/g, (path) => translation.downPath(path))
    .replace(/"([^"\s]{1,200})"/g, (_whole, path: string) => `"${translation.downPath(path)}"`)
    .replace(/(^|; )([^\s:;]{1,200}):/g, (_whole, start: string, place: string) => {
      return `${start}${place.startsWith('/') ? translation.downPointer(place) : downParameter(place, translation)}:`;
    });
}

/**
 * The query string of a request as parameters: the one reading of it, for every operation and on both sides.
 * What a lenient reader would change in silence is refused by name: octets that are no UTF-8 (it reads U+FFFD), and
 * a parameter given twice (it takes the first).
 */
import { Fault, type FieldError } from './fault.ts';

/** Whether a parameter takes several values: given once they stand between commas; repeated, each may hold commas. */
export function takesSeveral(name: string): boolean {
  return name.endsWith('[in]') || name.endsWith('[nin]') || name.endsWith('[contains]');
}

/** The values of a parameter that takes several. */
export function severalOf(parameters: URLSearchParams, name: string): readonly string[] {
  const given = parameters.getAll(name);
  return given.length === 1 ? (given[0] ?? '').split(',') : given;
}

/** The parameters of a query string; one that takes several values may be repeated. */
export function toParameters(query: string): URLSearchParams {
  // A query without a percent sign has nothing encoded.
  if (query.includes('%')) mustBeUtf8(query);
  const parameters = new URLSearchParams(query);
  const [seen, repeated] = [new Set<string>(), new Set<string>()];
  for (const name of parameters.keys()) {
    if (seen.has(name) && !takesSeveral(name)) repeated.add(name);
    seen.add(name);
  }
  if (repeated.size > 0) throw parametersRefused([...repeated].map((name) => [name, 'given more than once']));
  return parameters;
}

/** Refuses all parameters, for a request that takes none. */
export function mustBeWithoutParameters(query: string): void {
  if (query === '') return;
  mustKnowOnly(toParameters(query), [], 'this request takes no parameters');
}

export function mustKnowOnly(parameters: URLSearchParams, known: readonly string[], detail: string): void {
  const unknown = [...parameters.keys()].filter((name) => !known.includes(name));
  if (unknown.length > 0) throw parametersRefused(unknown.map((name) => [name, detail]));
}

export function parametersRefused(refused: readonly (readonly [name: string, detail: string])[]): Fault {
  const errors = refused.map(([at, detail]): FieldError => ({ at, in: 'query', detail }));
  return new Fault('query_invalid', { detail: errors.map(({ at, detail }) => `${at}: ${detail}`).join('; '), errors });
}

function mustBeUtf8(query: string): void {
  for (const pair of query.replace(/^\?/, '').split('&')) {
    const [name = ''] = pair.split('=', 1);
    if (!isUtf8(pair)) {
      throw parametersRefused([[isUtf8(name) ? decodeURIComponent(name.replaceAll('+', ' ')) : name, 'is not percent-encoded UTF-8']]);
    }
  }
}

function isUtf8(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

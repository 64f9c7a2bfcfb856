/** The parameters of an import. */
import { mustKnowOnly, parametersRefused, toParameters } from '../wire/parameters.ts';

export type OnDuplicate = 'reject' | 'skip' | 'replace';

/** What becomes of a row whose id exists: rejected and listed, passed over and counted, or put in its place. */
export function parseImportQuery(query: string): OnDuplicate {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['onDuplicate'], 'unknown parameter; an import takes onDuplicate alone');
  const value = parameters.get('onDuplicate') ?? 'reject';
  if (value === 'reject' || value === 'skip' || value === 'replace') return value;
  throw parametersRefused([['onDuplicate', 'must be reject, skip or replace']]);
}

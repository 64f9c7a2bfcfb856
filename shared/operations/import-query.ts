/** The parameters of an import. */
import { mustKnowOnly, parametersRefused, toParameters } from '../wire/parameters.ts';

/** What `onDuplicate` may be. */
export const onDuplicateChoices = ['reject', 'skip', 'replace', 'merge'] as const;

export type OnDuplicate = (typeof onDuplicateChoices)[number];

/**
 * What becomes of a row whose id exists: rejected and listed, passed over and counted, put in its place, or laid over it
 * as a merge patch (RFC 7396), which keeps what the row does not carry.
 */
export function parseImportQuery(query: string): OnDuplicate {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['onDuplicate'], 'unknown parameter; an import takes onDuplicate alone');
  const given = parameters.get('onDuplicate') ?? 'reject';
  const value = onDuplicateChoices.find((choice) => choice === given);
  if (value === undefined) throw parametersRefused([['onDuplicate', 'must be reject, skip, replace or merge']]);
  return value;
}

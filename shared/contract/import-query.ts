/** The parameters of an import. */
import { Fault } from './fault.ts';

export type OnDuplicate = 'reject' | 'skip' | 'replace';

/** What becomes of a row whose id exists: rejected and listed, passed over and counted, or put in its place. */
export function parseImportQuery(search: URLSearchParams): OnDuplicate {
  for (const name of new Set(search.keys())) {
    if (name !== 'onDuplicate' || search.getAll(name).length > 1) throw refused(name, name === 'onDuplicate' ? 'given more than once' : 'unknown parameter; an import takes onDuplicate alone');
  }
  const value = search.get('onDuplicate') ?? 'reject';
  if (value === 'reject' || value === 'skip' || value === 'replace') return value;
  throw refused('onDuplicate', 'must be reject, skip or replace');
}

function refused(at: string, detail: string): Fault {
  return new Fault('query_invalid', { detail: `${at}: ${detail}`, errors: [{ at, in: 'query', detail }] });
}

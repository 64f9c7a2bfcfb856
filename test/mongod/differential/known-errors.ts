import type { Answer } from './answers.ts';
import type { Question } from './questions.ts';

/**
 * Where mongo-java-server is known to be wrong, each by a predicate as narrow as the error. What is said of each,
 * and where MongoDB documents it, stands in README.md under the same name.
 */
export type Difference = { readonly question: Question; readonly ours: Answer; readonly theirs: Answer };

type KnownError = { readonly name: string; readonly applies: (difference: Difference) => boolean };

export const knownErrors: readonly KnownError[] = [];

export const knownErrorOf = (difference: Difference) => knownErrors.find(({ applies }) => applies(difference))?.name;

/**
 * How the database itself checks documents, whoever writes them, by MongoDB's names. What comes through Tombolo has
 * passed the whole schema before.
 */
import type { Choices } from './choices.ts';

export interface ResourceValidation {
  /** `moderate`: a document that was wrong before may stay so; `strict`: whoever touches it has to mend it; `off`: no check. */
  readonly level: 'moderate' | 'strict' | 'off';
  /** `warn`: the database takes the document and writes a line into its log. */
  readonly action: 'error' | 'warn';
}

export const validationChoices: Choices<ResourceValidation> = { level: ['moderate', 'strict', 'off'], action: ['error', 'warn'] };

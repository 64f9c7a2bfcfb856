/** A place of a document that a patch names by JSON Pointer (RFC 6901), and where the patch does so. */
import * as z from 'zod';
import { limits } from '../wire/limits.ts';

export interface Spot {
  readonly steps: readonly string[];
  /** The JSON Pointer into the patch, for whoever is told what is wrong there. */
  readonly at: string;
  /** Where in the patch the value stands that is put there. */
  readonly value?: string;
}

const written = /^(?:\/(?:[^~/]|~[01])*)*$/;

export const pointer = z
  .string()
  .regex(written, 'must be a JSON Pointer (RFC 6901), as in /image/width')
  .refine((text) => stepsOf(text).length <= limits.nestingLevelsMax, `leads through more than ${limits.nestingLevelsMax} levels`)
  .refine((text) => !stepsOf(text).includes('__proto__'), 'names __proto__, which no member may have as its name');

export function stepsOf(text: string): readonly string[] {
  return text.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

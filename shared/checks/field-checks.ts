/** Why a path that a declaration names leads to no field. */
import { limits } from '../wire/limits.ts';

export function whyNoField(path: string): string {
  const steps = path.split('.').length;
  if (steps > limits.pathStepsMax) return `"${path}" has ${steps} steps; ${limits.pathStepsMax} at most`;
  return `the schema has no field "${path}"`;
}

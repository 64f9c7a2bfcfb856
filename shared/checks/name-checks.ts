/** What resources and their collections cannot be called. */
import { engineNames, isInternalName } from '../contract/internal-names.ts';

/** Paths below the version that are no resources, and what they are. */
const keptNames: ReadonlyMap<string, string> = new Map([['live', 'live feeds'], ['usage', 'what a caller has used']]);

export function whyNoName(name: unknown): string | undefined {
  if (typeof name !== 'string' || !/^[a-z][a-z0-9-]{0,62}$/.test(name)) {
    return 'must be lower case, a plural noun of letters, digits and hyphens';
  }
  return keptNames.has(name) ? `"/${name}" is kept for ${keptNames.get(name)}; choose another` : undefined;
}

export function whyNoInternalName(name: unknown): string | undefined {
  if (typeof name !== 'string' || !isInternalName(name)) {
    return 'must be tombolo_ and words of lower-case letters and digits, with _ between them';
  }
  return Object.values<string>(engineNames).includes(name) ? 'is kept by the engines; choose another' : undefined;
}

/** Why no collection of a team can have this name; `undefined` where it can (https://www.mongodb.com/docs/manual/reference/limits/). */
export function whyNoCollection(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) return 'must be the name of a collection';
  if (/[$\0]|^\.|\.$/.test(name)) return 'no collection has $ or NUL in its name, or a dot at either end';
  if (name.startsWith('system.')) return 'is of the database itself; choose another';
  return name.startsWith('tombolo_') ? "is of Tombolo's own; choose another" : undefined;
}

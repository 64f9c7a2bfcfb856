/**
 * Names of what Tombolo keeps for itself in a team's database, `tombolo_<words>`. A team's resource cannot have one: their
 * names hold no underscore.
 */

/** The names of MongoDB's collections that are no resource at all. */
export const engineNames = {
  meta: 'tombolo_meta', cursors: 'tombolo_cursors', once: 'tombolo_once', filled: 'tombolo_filled',
} as const;

export function isInternalName(name: string): boolean {
  return /^tombolo(_[a-z0-9]+)+$/.test(name) && name.length <= 63;
}

/** Why no collection of a team can have this name; `undefined` where it can (https://www.mongodb.com/docs/manual/reference/limits/). */
export function whyNoCollection(name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) return 'must be the name of a collection';
  if (/[$\0]|^\.|\.$/.test(name)) return 'no collection has $ or NUL in its name, or a dot at either end';
  if (name.startsWith('system.')) return 'is of the database itself; choose another';
  return name.startsWith('tombolo_') ? "is of Tombolo's own; choose another" : undefined;
}

export function isEngineName(name: string): boolean {
  return Object.values<string>(engineNames).includes(name);
}

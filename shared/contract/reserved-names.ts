/** Segments below a collection that name operations, now or later: no document may have one of them as its id. */
const reservedNames = ['import', 'export', 'aggregate', 'changes'] as const;

export type ReservedName = (typeof reservedNames)[number];

/** What an action may be called that a resource has beside those: the names in a team's own endpoints. */
export function isActionName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,62}$/.test(name);
}

export function isReservedName(name: string): name is ReservedName {
  return (reservedNames as readonly string[]).includes(name);
}

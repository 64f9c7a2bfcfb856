/** Segments below a collection that name operations, now or later: no document may have one of them as its id. */
const reservedNames = ['import', 'export', 'aggregate', 'changes', 'removed'] as const;

/** Parameters of every list. */
export const controls: ReadonlySet<string> = new Set([
  'sort', 'limit', 'after', 'fields', 'count', 'page', 'distinct', 'q', 'expand', 'format',
]);

/** Parameters of lists of what has places on the map. */
export const mapControls: ReadonlySet<string> = new Set(['near', 'distance', 'within']);

/** What is no filter in a query: a field of such a name is asked for by `[in]` alone. */
export function isParameterName(name: string): boolean {
  return name === 'version' || controls.has(name) || mapControls.has(name);
}

/** The parameter of an equality. */
export function toEqualName(field: string): string {
  return isParameterName(field) ? `${field}[in]` : field;
}

export type ReservedName = (typeof reservedNames)[number];

/** What an action may be called that a resource has beside those: the names in a team's own endpoints. */
export function isActionName(name: string): boolean {
  return /^[a-z][a-z0-9-]{0,62}$/.test(name);
}

export function isReservedName(name: string): name is ReservedName {
  return (reservedNames as readonly string[]).includes(name);
}

/** Segments below a collection that name operations, now or later: no document may have one of them as its id. */
const reservedNames = ['import', 'export', 'aggregate', 'changes'] as const;

export type ReservedName = (typeof reservedNames)[number];

export function isReservedName(name: string): name is ReservedName {
  return (reservedNames as readonly string[]).includes(name);
}

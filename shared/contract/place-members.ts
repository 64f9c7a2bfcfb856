/** The members of a Point by which it is found. */
export function membersOf(place: string): readonly string[] {
  return [`${place}.type`, `${place}.coordinates`];
}

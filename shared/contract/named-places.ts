/** What a schema says of a place, whatever stands there. */
import { isChoice, placeOf } from './schema-places.ts';
import type { Type } from './schema-tree.ts';

/** `undefined`: by the schema alone nobody can say; `nowhere`: no document of it has the place. */
export function typeAt(schema: Type, steps: readonly string[]): Type | 'nowhere' | undefined {
  let type: Type = schema;
  for (const step of steps) {
    if (isChoice(type)) return undefined;
    const place = placeOf(type, null);
    const below = place.member(step) ?? place.element(Number(step));
    if (place.isMade) return undefined;
    if (below === undefined) return place.isClosed ? 'nowhere' : undefined;
    type = below;
  }
  return type;
}

/** What of shapes by place nothing could serve. */
import type { Field } from '../contract/fields.ts';
import { membersOf } from '../contract/place-members.ts';
import type { Shape, ShapeDeclaration } from '../contract/shapes.ts';
import { whyNoField } from './field-checks.ts';
import type { Refuse } from './mistakes.ts';

interface Surroundings {
  readonly fields: ReadonlyMap<string, Field>;
  readonly refuse: Refuse;
}

export function checkPlace({ place }: Shape, declared: ShapeDeclaration, { fields, refuse }: Surroundings): void {
  if (place === undefined) return;
  const detail = whyNoPlace(place, fields);
  if (detail !== undefined) refuse('place', detail);
  for (const key of ['range', 'prefix', 'text', 'sort', 'folded'] as const) {
    if (declared[key] !== undefined) refuse(key, 'not beside a place, by which what is found has its order');
  }
}

/** A query names no place: by its equalities it must be plain which one is meant. */
export function checkPlaces(shapes: readonly Shape[], refuse: Refuse): void {
  for (const [index, { name, place, equal }] of shapes.entries()) {
    const before = shapes.slice(0, index);
    const other = before.find((each) => each.place !== undefined && each.place !== place && each.equal.join() === equal.join());
    if (place !== undefined && other !== undefined) refuse(`${name}.place`, `"${other.name}" has the same equalities and another place`);
  }
}

function whyNoPlace(place: string, fields: ReadonlyMap<string, Field>): string | undefined {
  const field = fields.get(place);
  if (field === undefined) return whyNoField(place);
  if (field.isInArray === true || field.kind === 'array') return `"${place}" is many; a document has one place`;
  const [type, coordinates] = membersOf(place).map((path) => fields.get(path));
  const isPoint = type?.kind === 'string' && coordinates?.kind === 'array' && coordinates.element === 'number';
  return isPoint ? undefined : `"${place}" (${field.kind}) is no Point of GeoJSON: point() declares one`;
}

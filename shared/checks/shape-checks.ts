/** What of declared shapes no index could serve. */
import { type Field, isScalarKind } from '../contract/fields.ts';
import { type Shape, type ShapeDeclaration, toShape } from '../contract/shapes.ts';
import { limits } from '../wire/limits.ts';
import { whyNoField } from './field-checks.ts';
import { type Refuse, refuseUnknown } from './mistakes.ts';
import { checkPlace, checkPlaces } from './place-checks.ts';
import { checkByEntries } from './text-checks.ts';

const keys = ['equal', 'range', 'prefix', 'text', 'place', 'folded', 'sort', 'beside', 'examined', 'only'] as const;

/** Gives those that can be read. `fields`: the id among them. `refuse` notes a key below `shapes`. */
export function checkShapes(
  declared: Readonly<Record<string, ShapeDeclaration>>,
  fields: ReadonlyMap<string, Field>,
  refuse: Refuse,
): readonly Shape[] {
  const shapes = Object.entries(declared).flatMap(([name, given]) => {
    const refuseKey: Refuse = (key, detail) => refuse(`${name}.${key}`, detail);
    if (typeof given !== 'object' || given === null) {
      refuse(name, 'must be an object');
      return [];
    }
    refuseUnknown(given, keys, refuseKey);
    if (!isWellFormed(given, refuseKey)) return [];
    const shape = toShape(name, given);
    checkFields(shape, fields, refuseKey);
    checkBound(shape, fields, refuseKey);
    checkExamined(given, refuseKey);
    checkByEntries(shape, fields, refuseKey);
    checkPlace(shape, given, { fields, refuse: refuseKey });
    return [shape];
  });
  checkPlaces(shapes, refuse);
  return shapes;
}

function isWellFormed({ equal, sort, range, prefix, text, place, folded, beside }: ShapeDeclaration, refuse: Refuse): boolean {
  const wrong = [
    ...Object.entries({ equal, sort, text, folded, beside })
      .filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.every((part) => typeof part === 'string')))
      .map(([key]) => [key, 'must be a list of texts'] as const),
    ...Object.entries({ range, prefix, place })
      .filter(([, value]) => value !== undefined && typeof value !== 'string')
      .map(([key]) => [key, 'must be the name of a field'] as const),
  ];
  for (const [key, detail] of wrong) refuse(key, detail);
  return wrong.length === 0;
}

function checkFields(shape: Shape, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  const arrays = shape.equal.filter((field) => fields.get(field)?.kind === 'array');
  if (arrays.length > 1) refuse('equal', `one array at most, not ${arrays.join(' and ')}`);
  for (const field of shape.equal) checkField(field, fields.get(field), { key: 'equal', arrays: true }, refuse);
  for (const field of shape.beside) checkField(field, fields.get(field), { key: 'beside', arrays: true }, refuse);
  for (const field of new Set(shape.sorts.flat().map((key) => key.field))) {
    checkField(field, fields.get(field), { key: 'sort', arrays: false }, refuse);
  }
}

function checkField(
  name: string,
  field: Field | undefined,
  { key, arrays }: { readonly key: string; readonly arrays: boolean },
  refuse: Refuse,
): void {
  if (field === undefined) return refuse(key, whyNoField(name));
  const kind = arrays && field.kind === 'array' ? (field.element ?? 'mixed') : field.kind;
  if (kind === 'binary' && !arrays) return refuse(key, `"${name}" (binary) has no order; it is asked for by equality`);
  if (!isScalarKind(kind)) {
    refuse(key, `"${name}" (${field.kind}) cannot be indexed here; scalars can${arrays ? ', and arrays of scalars' : ''}`);
  }
}

function checkBound(shape: Shape, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  const { range, prefix, sorts } = shape;
  if (range !== undefined && prefix !== undefined) refuse('prefix', 'a shape has a range or a prefix, not both');
  const bounded = range ?? prefix;
  if (bounded !== undefined && !sorts.some((sort) => sort[0]?.field === bounded)) {
    refuse(range === undefined ? 'prefix' : 'range', `no order begins with "${bounded}", so no index can serve it`);
  }
  const kind = prefix === undefined ? undefined : fields.get(prefix)?.kind;
  const isText = kind === 'string' || kind === 'uuid' || (prefix === 'id' && kind === 'objectId');
  if (kind !== undefined && !isText) refuse('prefix', `"${prefix}" is not a string`);
}

function checkExamined({ beside, examined }: ShapeDeclaration, refuse: Refuse): void {
  if (examined === undefined) return;
  if (beside === undefined) refuse('examined', 'bounds what is asked beside the index; this shape has no "beside"');
  const isInBounds = Number.isSafeInteger(examined) && examined >= 1 && examined <= limits.examinedMax;
  if (!isInBounds) refuse('examined', `must be a whole number from 1 to ${limits.examinedMax}`);
}

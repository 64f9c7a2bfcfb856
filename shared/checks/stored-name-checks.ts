/** What is wrong with the names that members have in the database. */
import { placeOf } from '../contract/schema-places.ts';
import type { Type } from '../contract/schema-tree.ts';
import type { StoredAsDeclaration } from '../contract/stored-names.ts';
import type { SystemFields } from '../contract/system-fields.ts';
import type { Mistakes } from './mistakes.ts';

interface Declared {
  readonly schema: Type;
  readonly system: SystemFields;
  readonly storedAs: StoredAsDeclaration;
}

export function checkStoredNames({ schema, system, storedAs }: Declared, mistakes: Mistakes): void {
  const kept = new Set(Object.values(system));
  /** By the path of an object: what is stored in it by these names. */
  const taken = new Map<string, Set<string>>();
  for (const [path, name] of Object.entries(storedAs)) {
    const steps = path.split('.');
    const above = steps.slice(0, -1);
    const last = steps.at(-1) ?? '';
    const holder = holderOf(schema, above);
    const isTop = above.length === 0;
    const isNamed = (each: string) => memberOf(holder, each) !== undefined || (isTop && kept.has(each));
    const whyNot = whyNoStoredName(name, isTop);
    const other = isNamed(name) && name !== last ? storedAs[[...above, name].join('.')] : undefined;
    const beside = taken.get(above.join('.')) ?? new Set();
    taken.set(above.join('.'), beside);
    if (!isNamed(last)) mistakes.add(`storedAs.${path}`, 'the schema has no such field');
    else if (whyNot !== undefined) mistakes.add(`storedAs.${path}`, whyNot);
    else if (isNamed(name) && name !== last && (other === undefined || other === name)) {
      mistakes.add(`storedAs.${path}`, `"${name}" is where the field of that name is stored`);
    } else if (beside.has(name)) mistakes.add(`storedAs.${path}`, `another field is stored as "${name}"`);
    else beside.add(name);
  }
}

function whyNoStoredName(name: unknown, isTop: boolean): string | undefined {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed() || /[.\0]|^\$/.test(name)) {
    return 'must be the name of a member, without NUL or a dot and not beginning with $';
  }
  if (name === '__proto__' || name === '_bsontype') return 'is kept by JavaScript and by the driver; no document is written with it';
  return isTop && name === '_id' ? 'names the document in MongoDB' : undefined;
}

/** What the type of a place is, through the arrays on the way; `undefined` where the schema names none. */
function holderOf(schema: Type, steps: readonly string[]): Type | undefined {
  return steps.reduce<Type | undefined>((holder, step) => memberOf(holder, step), schema);
}

function memberOf(type: Type | undefined, name: string): Type | undefined {
  if (type === undefined) return undefined;
  const place = placeOf(type, null);
  return place.member(name) ?? memberOf(place.element(0), name);
}

/** What is wrong with the names of the fields that Tombolo keeps. */
import { type AllDeclared, isFieldName, roles, type SystemFields, toSystemFields } from '../contract/system-fields.ts';
import type { Mistakes } from './mistakes.ts';

/** Gives those that can be read. */
export function checkSystemFields(declared: AllDeclared, mistakes: Mistakes): SystemFields {
  const fields = toSystemFields(declared);
  const kept = new Map<unknown, string>();
  for (const role of roles) {
    const name: unknown = fields[role];
    if (name === undefined) continue;
    if (typeof name !== 'string' || !isFieldName(name) || name === 'id') mistakes.add(role, 'must be the name of a field, or false');
    else if (kept.has(name)) mistakes.add(role, `"${name}" is the name of another field that Tombolo keeps`);
    else kept.set(name, role);
  }
  return Object.fromEntries([...kept].map(([name, role]) => [role, name]));
}

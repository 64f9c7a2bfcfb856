/** Statements of each resource's table, prepared when the first of them is needed: those of all tables, triggers and all, are some MB. */
import type { Resource } from '../../../../shared/contract/resource.ts';

export function preparedFor<Statements>(
  resources: Iterable<Resource>, prepare: (resource: Resource) => Statements,
): (resource: Pick<Resource, 'name'>) => Statements {
  const known = new Map([...resources].map((resource) => [resource.name, resource]));
  const prepared = new Map<string, Statements>();
  return ({ name }) => {
    const found = prepared.get(name);
    if (found !== undefined) return found;
    const resource = known.get(name);
    if (resource === undefined) throw new Error(`the store was opened without ${name}`);
    const made = prepare(resource);
    prepared.set(name, made);
    return made;
  };
}

/**
 * What becomes of the documents of somebody who deletes their account (SEMANTICS §20), declared in `origin/hooks/all.ts`:
 *
 *   departing({ of: reviews, by: 'author', fate: 'remove' })
 *
 * Documents of a resource that nothing is declared of stay as they are.
 */
import type { Contract } from '../../shared/contract/contract.ts';
import { DeclarationError, Mistakes, refuseUnknown } from '../../shared/checks/mistakes.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { isByEntries } from '../../shared/contract/shapes.ts';

export interface Departing {
  readonly of: Resource;
  /** The field that holds their subject; a shape finds documents by it alone. */
  readonly by: string;
  /** `remove`: as a caller removes one, with what its relations say. `unset`: they stay, without that field. */
  readonly fate: 'remove' | 'unset';
}

/** Exported for `origin/hooks/all.ts`. */
export function departing(declared: Departing): Departing {
  return declared;
}

const keys = ['of', 'by', 'fate'];

/** With a mistake nothing starts. */
export function mustDepartings(departings: readonly Departing[], { resources }: Contract): void {
  const mistakes = new Mistakes('origin/hooks/all.ts');
  for (const each of departings) {
    const { of, by, fate } = each;
    const refuse = (key: string, detail: string) => mistakes.add(`departing of "${of.name}": ${key}`, detail);
    refuseUnknown(each, keys, refuse);
    if (!resources.has(of.name)) refuse('of', 'is not served');
    if (departings.some((other) => other !== each && other.of.name === of.name && other.by === by)) refuse('by', 'stands there twice');
    if (fate !== 'remove' && fate !== 'unset') refuse('fate', 'must be \'remove\' or \'unset\'');
    if (of.fields.get(by)?.kind !== 'string') refuse('by', `"${by}" must be a field of one text`);
    else if (!of.shapes.some((shape) => shape.equal.join() === by && !isByEntries(shape))) {
      refuse('by', `there is no shape { equal: ['${by}'] } that finds these documents`);
    }
    if (fate === 'unset' && !canBeUnset(of, by)) refuse('fate', `"${by}" must be optional, and not immutable, to be unset`);
  }
  if (mistakes.found.length > 0) throw new DeclarationError(mistakes.found);
}

function canBeUnset({ fields, immutable }: Resource, by: string): boolean {
  return fields.get(by)?.optional === true && !immutable.includes(by);
}

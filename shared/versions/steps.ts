/** A transaction in an older version (SEMANTICS §19): of what has another form there, it is asked in the current one. */
import type { Contract } from '../contract/contract.ts';
import { documentInvalid } from '../contract/documents.ts';
import type { Step } from '../operations/steps.ts';
import type { FieldError } from '../wire/fault.ts';
import { translationOf } from './dialect.ts';
import type { Version } from './versions.ts';

/** Refuses the operations whose resources are not the same in this version. */
export function mustBeAlike(steps: readonly Step[], { resources, versions }: Contract, version: Version): void {
  if (version === versions.current) return;
  const errors = steps.flatMap(({ resource: name }, index): readonly FieldError[] => {
    const resource = resources.get(name);
    if (resource === undefined || translationOf(versions, resource, version) === undefined) return [];
    const detail = `has another form in ${version.name}; ask for this transaction in ${versions.current.name}`;
    return [{ at: `/operations/${index}/resource`, in: 'body', detail }];
  });
  if (errors.length > 0) throw documentInvalid(errors);
}

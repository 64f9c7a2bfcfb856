/**
 * What the preconditions of a request may say, by its headers alone (SEMANTICS §8): their form, the methods that take
 * them, and the resources that demand them (RFC 6585 §3). Whether they hold is decided where the document is.
 */
import { toTagList } from '../wire/entity-tags.ts';
import { Fault } from '../wire/fault.ts';
import type { Operation } from '../operations/operation.ts';
import type { Resource } from './resource.ts';

export interface Preconditions {
  readonly ifMatch: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

/** `header` takes names in lower case. */
export function mustPreconditions(
  asked: { readonly operation: Operation; readonly resource: Resource },
  header: (name: 'if-match' | 'if-none-match') => string | null,
): Preconditions {
  const { conditions } = asked.operation;
  const ifMatch = mustTagList('If-Match', header('if-match'));
  const ifNoneMatch = mustTagList('If-None-Match', header('if-none-match'));
  if (conditions === 'none') mustHaveNone(asked.operation, { ifMatch, ifNoneMatch });
  else if (conditions !== 'read') mustBeDemanded(asked.resource, conditions, { ifMatch, ifNoneMatch });
  return { ifMatch, ifNoneMatch };
}

/** The tags of a condition; `undefined` where it was not sent. */
export function mustTagList(name: string, header: string | null): string | undefined {
  if (header === null) return undefined;
  const list = toTagList(header);
  if (list !== undefined) return list;
  throw new Fault('header_invalid', {
    detail: `${name}: entity tags in double quotes, or *`,
    errors: [{ at: name, in: 'header', detail: 'entity tags in double quotes, comma between, or *' }],
  });
}

/** The target is the collection, which has no tag that a change is about: a condition on it would be about nothing. */
function mustHaveNone({ method }: Operation, { ifMatch, ifNoneMatch }: Preconditions): void {
  if (ifMatch === undefined && ifNoneMatch === undefined) return;
  const name = ifMatch === undefined ? 'If-None-Match' : 'If-Match';
  throw new Fault('header_invalid', {
    detail: `${name}: a ${method} here takes no precondition`,
    errors: [{ at: name, in: 'header', detail: `not taken by ${method} here` }],
  });
}

/** What the resource demands of a change, however it is asked for. */
export function mustBeDemanded(
  { preconditions }: Pick<Resource, 'preconditions'>,
  conditions: 'change' | 'change-or-create',
  said: Preconditions,
): void {
  if (preconditions === 'required') mustSayWhatWasRead(conditions, said);
}

/** `If-None-Match: *` says that nothing was there to be read; other tags say nothing of what would be written over. */
function mustSayWhatWasRead(conditions: 'change' | 'change-or-create', { ifMatch, ifNoneMatch }: Preconditions): void {
  const mayCreate = conditions === 'change-or-create';
  if (ifMatch !== undefined || (mayCreate && ifNoneMatch === '*')) return;
  const toCreate = mayCreate ? ', or If-None-Match: * to create it' : '';
  const detail = `this resource is changed with If-Match alone: send the ETag of the document as you read it${toCreate}`;
  throw new Fault('precondition_required', { detail });
}

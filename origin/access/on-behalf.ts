/** A call as if it had been about another resource: of its caller, of somebody who has not signed in, or of the system. */
import type { Resource } from '../../shared/contract/resource.ts';
import { readRule } from '../../shared/contract/removal.ts';
import { anyone, mentionsOf, nobody, reduce } from '../../shared/contract/rules.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import { madeOnce } from '../../shared/remember.ts';
import type { Asked } from '../call.ts';
import type { OnBehalf } from './documents-seen.ts';

const none = { ifMatch: undefined, ifNoneMatch: undefined };

/** The call's own conditions are about the document of its path. */
export function onBehalfOf(call: Asked, principal: Principal): OnBehalf {
  return (resource, id = '') => ({
    ...call, resource, id, principal,
    rights: { readable: reduce(resource.rules.read, principal), writable: false },
    preconditions: resource.name === call.resource.name && id !== '' && id === call.id ? call.preconditions : none,
  });
}

/** No rule, no field rule and no demand for a condition holds: what a document must be stays, and what is removed is so for all. */
export function asSystem(call: Asked): OnBehalf {
  return (resource, id = '') => {
    const open = withoutRules(resource);
    const readable = reduce(open.rules.read, call.principal);
    return { ...call, resource: open, id, rights: { readable, writable: true }, preconditions: none, isSystem: true };
  };
}

const withoutRules = madeOnce((resource: Resource): Resource => {
  const read = readRule(anyone, resource.removal);
  const rules = { read, create: anyone, update: anyone, remove: anyone, restore: anyone, history: nobody };
  return { ...resource, rules, fieldRules: {}, mentions: mentionsOf([read]), preconditions: 'optional' };
});

/**
 * Rights by principal alone, before anything is read: what no document could allow is refused here. What
 * depends on the document is decided where the document is, by the predicates made here.
 */
import { mustBeInScope } from '../shared/api-keys/scopes.ts';
import { Fault } from '../shared/wire/fault.ts';
import type { Principal } from '../shared/wire/principal.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { type Predicate, reduce } from '../shared/contract/rules.ts';
import type { Operation } from '../shared/operations/operation.ts';

export interface Rights {
  /** The read rule with the principal put in. */
  readonly readable: Predicate;
  /** The rule that lets the caller in, likewise; equal to `readable` for what goes by the read rule. */
  readonly writable: Predicate;
}

export function mustGrant(operation: Operation, resource: Resource, principal: Principal): Rights {
  mustBeInScope(principal, { operation, resource });
  const { right } = operation;
  const { rules } = resource;
  const readable = reduce(rules.read, principal);
  const writable = right === 'read' ? readable : reduce(typeof right === 'string' ? rules[right] : right, principal);
  if (writable === false) throw refusal(principal, operation);
  return { readable, writable };
}

/** 401 for who might be allowed once signed in, 403 for who is (RFC 9110 §15.5.2, §15.5.4). */
function refusal(principal: Principal, { otherwise = 'no rule of this resource allows this' }: Operation): Fault {
  return principal.subject === undefined
    ? new Fault('token_missing', {
        detail: 'send a token: Authorization: Bearer …', headers: { 'www-authenticate': 'Bearer realm="tombolo"' },
      })
    : new Fault('forbidden', { detail: otherwise });
}

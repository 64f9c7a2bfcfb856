/**
 * Rights by principal alone, before anything is read: what no document could allow is refused here. What
 * depends on the document is decided where the document is, by the predicates made here.
 */
import { Fault } from '../../shared/contract/fault.ts';
import type { Principal } from '../../shared/contract/principal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Route, Verb } from '../../shared/contract/routes.ts';
import { type Predicate, reduce } from '../../shared/contract/rules.ts';
import { mustPrincipal } from '../../shared/hop/principal-header.ts';
import type { VerifiedHop } from '../hop/verify.ts';

export interface Rights {
  readonly principal: Principal;
  readonly readable: Predicate;
  readonly writable: Predicate;
}

const ruleOf: Readonly<Record<Verb, keyof Resource['rules']>> = {
  list: 'read', one: 'read', changes: 'read', create: 'create', import: 'create', replace: 'update', patch: 'update', remove: 'remove',
};

export function authorize(route: Route, hop: VerifiedHop): Rights {
  const { rules } = route.resource;
  const principal = mustPrincipal(hop.header('tombolo-principal'));
  const readable = reduce(rules.read, principal);
  const writable = route.safe ? readable : reduce(rules[ruleOf[route.verb]], principal);
  if (writable === false) throw refusal(principal);
  return { principal, readable, writable };
}

/** 401 for who might be allowed once signed in, 403 for who is (RFC 9110 §15.5.2, §15.5.4). */
function refusal(principal: Principal): Fault {
  return principal.subject === undefined
    ? new Fault('token_missing', { headers: { 'www-authenticate': 'Bearer realm="tombolo"' } })
    : new Fault('forbidden', { detail: 'no rule of this resource allows this' });
}

/**
 * What an API key may ask for: `<resource>:<operation>` by their names, endpoints among them (`films:list`, `films:films-top`).
 * For the operation may stand `read` (all that are safe), `write` (all others) or `*`, for the resource `*`. A scope only ever
 * takes away: the rules hold for a key as for whoever made it.
 */
import { everyResource } from '../contract/every-resource.ts';
import type { Expansion } from '../contract/expansion.ts';
import type { Contract } from '../contract/contract.ts';
import { deferred } from '../deferred/resource.ts';
import type { Resource } from '../contract/resource.ts';
import { reduce } from '../contract/rules.ts';
import { isSafe, type Operation } from '../operations/operation.ts';
import { operationsOf } from '../operations/route.ts';
import { Fault } from '../wire/fault.ts';
import type { Principal } from '../wire/principal.ts';
import { apiKeys } from './resource.ts';

interface Asked {
  readonly operation: Pick<Operation, 'name' | 'answers'>;
  readonly resource: Pick<Resource, 'name'>;
}

/** What stands for several operations, and is the name of none. */
const groups: ReadonlySet<string> = new Set(['read', 'write', '*']);

function isInScope(scopes: readonly string[], { operation, resource }: Asked): boolean {
  const names = [...(groups.has(operation.name) ? [] : [operation.name]), isSafe(operation) ? 'read' : 'write', '*'];
  return names.some((name) => scopes.includes(`${resource.name}:${name}`) || scopes.includes(`*:${name}`));
}

/**
 * Throws `key_restricted` where an API key asks for what it does not have. Keys are managed with a token: a key that could
 * make another would leave that one behind when it is revoked. A transaction is asked for operation by operation.
 */
export function mustBeInScope({ key }: Principal, asked: Asked): void {
  if (key === undefined || asked.resource.name === everyResource) return;
  const scope = `${asked.resource.name}:${asked.operation.name}`;
  if (asked.resource.name === apiKeys.name) throw new Fault('key_restricted', { detail: 'API keys are managed with a token' });
  // What was asked for with this key, and nothing else of its owner's (`origin/deferred`).
  if (asked.resource.name === deferred.name || isInScope(key.scopes, asked)) return;
  throw new Fault('key_restricted', {
    detail: `the API key does not have the scope ${scope}`,
    // RFC 6750 §3.1.
    headers: { 'www-authenticate': `Bearer realm="tombolo", error="insufficient_scope", scope="${scope}"` },
  });
}

/** Related documents, of each relation of each level, are for keys that may read all of their resource. */
export function mustExpandInScope(principal: Principal, expansions: readonly Expansion[]): void {
  if (principal.key === undefined) return;
  for (const { relation: { target: resource }, below } of expansions) {
    mustBeInScope(principal, { operation: { name: 'read', answers: 'state' }, resource });
    mustExpandInScope(principal, below);
  }
}

/** Why nobody is given this scope, or this caller is not; `undefined` where they are. */
export function whyNoScope(scope: string, contract: Contract, maker: Principal): string | undefined {
  const [name = '', operation = ''] = scope.split(':');
  const { resources } = contract;
  const one = resources.get(name);
  if (name !== '*' && one === undefined) return `no such resource: "${name}"`;
  const of = one === undefined ? [...resources.values()] : [one];
  const meant = of.flatMap((resource) =>
    operationsOf(resource).filter((row) => isInScope([`*:${operation}`], { operation: row, resource })).map((row) => ({ resource, row })));
  if (meant.length === 0) return `no such operation: "${operation}"`;
  return meant.some((each) => mayAsk(each, maker)) ? undefined : 'you may not ask for this yourself';
}

/** Whether there could be a document for which the rule lets the maker in. */
function mayAsk({ resource, row: { right } }: { readonly resource: Resource; readonly row: Operation }, maker: Principal): boolean {
  return reduce(typeof right === 'string' ? resource.rules[right] : right, maker) !== false;
}

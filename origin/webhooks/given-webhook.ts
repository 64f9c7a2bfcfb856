/** What a caller asks of a webhook, held to what it may be: where it leads, what it is told, and what of it is the caller's to see. */
import type { Contract } from '../../shared/contract/contract.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import type { ChangedWebhook, NewWebhook } from '../../shared/webhooks/operations.ts';
import type { StoredWebhook } from '../../shared/webhooks/resource.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Settings } from '../settings.ts';
import { toAudience } from './audience.ts';
import { keptPrincipal, pausedFor } from './stored-webhook.ts';
import { whyNoTarget } from './target.ts';

export interface Judging {
  readonly contract: Contract;
  readonly settings: Settings;
  readonly principal: Principal;
}

/** Throws `document_invalid`, which names the field. */
export function mustBeMade(asked: NewWebhook, judging: Judging, nowMs: number): Omit<StoredWebhook, 'secret'> {
  const { principal } = judging;
  const { paused, ...given } = asked;
  const made = {
    ...given, owner: principal.subject ?? '', ...toldAs(principal), ...(paused ? pausedFor('asked', nowMs) : {}), failures: 0,
    made: new Date(nowMs).toISOString(),
  };
  mustBeRight(made, judging);
  return made;
}

/** What its owner changes is told to them as they are now; whoever else sees it pauses it, or has it go on. */
export function mustBeChanged(asked: ChangedWebhook, webhook: StoredWebhook, judging: Judging, nowMs: number): StoredWebhook {
  const { principal } = judging;
  const { paused, ...given } = asked;
  const { paused: because, pausedAt, ...rest } = webhook;
  const before = { ...(because === undefined ? {} : { paused: because }), ...(pausedAt === undefined ? {} : { pausedAt }) };
  const pausedNow = paused === false ? {} : paused && because === undefined ? pausedFor('asked', nowMs) : before;
  const going = { ...rest, failures: paused === false ? 0 : webhook.failures, ...pausedNow };
  if (Object.keys(given).length === 0) return going;
  if (webhook.owner !== principal.subject) {
    throw new Fault('forbidden', { detail: 'only its owner changes what a webhook tells, and whom: pause it, or remove it' });
  }
  const { filter: _filter, description: _description, tenant: _tenant, ...kept } = going;
  const [filter, description] = [given.filter ?? undefined, given.description ?? undefined];
  const texts = {
    ...textOf('filter', given.filter === undefined ? webhook.filter : filter),
    ...textOf('description', given.description === undefined ? webhook.description : description),
  };
  const { url = webhook.url, events = webhook.events, payload = webhook.payload, ordered = webhook.ordered } = given;
  const changed: StoredWebhook = { ...kept, ...texts, url, events, payload, ordered, ...toldAs(principal) };
  mustBeRight(changed, judging);
  return changed;
}

/** Who it is told to, as they are now, and whose admins see it. */
function toldAs(principal: Principal): Pick<StoredWebhook, 'tenant' | 'principal'> {
  const { tenant } = principal.claims;
  return { ...(tenant === undefined ? {} : { tenant: String(tenant) }), principal: keptPrincipal(principal) };
}

function textOf(name: 'filter' | 'description', text: string | undefined): Partial<Pick<StoredWebhook, 'filter' | 'description'>> {
  return text === undefined ? {} : { [name]: text };
}

function mustBeRight(webhook: Omit<StoredWebhook, 'secret'>, { contract, settings }: Judging): void {
  const resource = contract.resources.get(webhook.resource);
  const errors = [
    at('/url', whyNoTarget(webhook.url, settings)),
    at('/resource', resource === undefined ? 'no such resource' : resource.live ? undefined : 'its changes are not told: it is not live'),
    at('', webhook.principal.length > webhookLimits.principalCharactersMax
      ? `your roles and claims have at most ${webhookLimits.principalCharactersMax} characters` : undefined),
    ...(resource === undefined ? [] : audienceErrors(() => toAudience(resource, { ...webhook, secret: '' }).readable)),
  ].flat();
  if (errors.length > 0) throw documentInvalid(errors);
}

/** What is wrong with the filter is told of its place in the body. */
function audienceErrors(readable: () => unknown): readonly FieldError[] {
  try {
    return readable() === false ? at('/resource', 'no rule lets you read it') : [];
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return at('/filter', thrown.errors.map((error) => `${error.at}: ${error.detail}`).join('; ') || (thrown.detail ?? 'is no filter'));
  }
}

function at(place: string, detail: string | undefined): readonly FieldError[] {
  return detail === undefined ? [] : [{ at: place, in: 'body', detail }];
}

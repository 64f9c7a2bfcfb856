/**
 * What a Worker isolate keeps between requests, built once from its settings, and what one request carries
 * from stage to stage. Nothing here is shared state of record: an isolate may vanish at any time.
 */
import type { Contract } from '../shared/contract/contract.ts';
import { Fault, type FaultReason } from '../shared/contract/fault.ts';
import { DeclarationError, mustBeSound } from '../shared/contract/mistakes.ts';
import { type Plans, unaffordable } from '../shared/contract/plans.ts';
import type { Position } from '../shared/contract/position.ts';
import type { Principal } from '../shared/contract/principal.ts';
import type { Cached } from '../shared/operations/operation.ts';
import type { Route } from '../shared/operations/route.ts';
import { type EdgeSettings, mustEdgeSettings } from '../shared/settings/edge-settings.ts';
import { SettingsError } from '../shared/settings/reader.ts';
import { toUnknownVariables } from '../shared/settings/unknown-variables.ts';
import { Entries } from './cache/entries.ts';
import { Generations } from './cache/generations.ts';
import type { Counters } from './coordinator/counters.object.ts';
import type { Coordinator } from './coordinator/generations.object.ts';
import { type Dressing, toDressing } from './dressing.ts';
import type { Tickets } from './coordinator/tickets.object.ts';
import { Macs } from './origin-client/macs.ts';
import { OriginClient } from './origin-client/origin-client.ts';
import type { ReadFacts } from './origin-client/verify.ts';
import { Tokens } from './identity/tokens.ts';
import { log } from './log.ts';
import { toQuota } from './quota/counters.client.ts';
import type { Quota } from './quota/quota.ts';
import { Reads } from './reads.ts';
import type { SentHeaders } from './sent-headers.ts';
import type { Target } from './target.ts';

/** `wrangler.toml` and the secrets. Texts are read by `edge-settings.ts` alone. */
export interface Bindings {
  readonly COORDINATOR: DurableObjectNamespace<Coordinator>;
  readonly COUNTERS: DurableObjectNamespace<Counters>;
  readonly TICKETS: DurableObjectNamespace<Tickets>;
  readonly FLOOD: RateLimit;
}

export interface EdgeContext {
  readonly settings: EdgeSettings;
  readonly contract: Contract;
  readonly plans: Plans;
  readonly quota: Quota;
  readonly macs: Macs;
  readonly tokens: Tokens;
  readonly origin: OriginClient;
  readonly generations: Generations;
  readonly entries: Entries;
  readonly reads: Reads;
  readonly dressing: Dressing;
}

/** What a request is conditional on, for the origin: the client's own, unless the cache asks for itself. */
export interface Conditions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
  readonly after?: Position | undefined;
}

export interface Variables {
  requestId: string;
  context: EdgeContext;
  target: Target;
  sent: SentHeaders;
  /** The sender's address, or the network that is his own; absent where the platform names none. */
  network: string | undefined;
  route: Route;
  /** Milliseconds of the epoch. */
  deadlineAt: number;
  principal: Principal;
  /** When the token ends that says who asks, in milliseconds of the epoch; absent: nobody signed in. */
  signedInUntil: number | undefined;
  /** Of a feed that a ticket opens: what its events name it. */
  stream: string | undefined;
  /** Of a safe request for a state, not of a feed. */
  read: Cached | undefined;
  /** The buffered body of a write, byte for byte. */
  body: Uint8Array<ArrayBuffer> | undefined;
  conditions: Conditions;
  /** Set by `forward`: what the origin said of its answer's state. */
  facts: ReadFacts | undefined;
  /** Fields of the answer, whoever gives it (`leave.ts`). */
  told: [name: string, value: string][];
  /** Development alone. */
  timings: [stage: string, enteredAt: number][] | undefined;
}

export interface EdgeEnv {
  Bindings: Bindings;
  Variables: Variables;
}

/** What was declared: read at start, checked before anything is served. */
export interface Served {
  readonly contract: Contract;
  readonly plans: Plans;
}

const made = new WeakMap<Bindings, EdgeContext>();

/** Throws `misconfigured` until declarations and settings are right; the log names all that is not. */
export function contextOf(bindings: Bindings, served: Served): EdgeContext {
  const known = made.get(bindings);
  if (known !== undefined) return known;
  const context = build(bindings, served);
  made.set(bindings, context);
  return context;
}

function build(bindings: Bindings, { contract, plans }: Served): EdgeContext {
  try {
    mustBeSound(contract, plans, { mistakes: unaffordable(plans, contract) });
    for (const unknown of toUnknownVariables({ ...bindings })) log('warn', 'settings.unknown', { unknown });
    const settings = mustEdgeSettings({ ...bindings }, plans.byName);
    const macs = new Macs(settings.keys);
    return {
      settings, contract, plans: withAnonymousPlan(plans, settings.anonymousPlan), quota: toQuota(bindings.COUNTERS), macs,
      origin: new OriginClient({ originUrl: settings.originUrl, macs }), tokens: new Tokens(settings),
      generations: new Generations(settings, contract), entries: new Entries(), reads: new Reads(), dressing: toDressing(settings),
    };
  } catch (cause) {
    if (cause instanceof DeclarationError) throw new Fault('misconfigured', { facts: { declarations: cause.mistakes } });
    if (!(cause instanceof SettingsError)) throw cause;
    throw new Fault('misconfigured', { cause, facts: { settings: cause.message } });
  }
}

function withAnonymousPlan(plans: Plans, name: string): Plans {
  return { ...plans, anonymous: plans.byName.get(name) ?? plans.anonymous };
}

/** Refusals of this isolate by reason, since it began; each log line tells the count. */
export const refusals = new Map<FaultReason, number>();

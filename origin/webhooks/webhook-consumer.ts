/**
 * Webhooks as a consumer of the feed: of each change, one delivery for each webhook that is told of it, committed with the cursor.
 * It hears of webhooks by the same feed, so one that was made before a change is told of it.
 *
 *   begin: all webhooks ──▶ a change of a webhook: know it anew ──▶ a change of a resource: deliveries, with their jobs
 *   a job of a delivery is dead: so is the delivery
 *   beside: deliveries that were held go on with their webhook, those of removed webhooks and those past their time are removed
 */
import type { Change } from '../../shared/contract/change.ts';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import { deliveries, type StoredDelivery, type StoredWebhook, turns, webhooks } from '../../shared/webhooks/resource.ts';
import type { Position } from '../../shared/wire/position.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import { type Consumer, consumerLimits, inTime } from '../feed/consumer.ts';
import { pause } from '../pause.ts';
import type { ListRequest, Mutation } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { signPosition } from '../tokens.ts';
import { type Audience, idJsonOf, toAudience, type Told, toldOf } from './audience.ts';
import { tracesOf } from './causes.ts';
import { type JobOf, making, overdue, removing, sendingAgain, toDeliveryId } from './delivery-writes.ts';
import { endsOfLost, isOfLostJob } from './lost-jobs.ts';
import { noticesOf } from './notices.ts';
import { isSealedUnder, openSecret, sealSecret } from './secrets.ts';
import { deliveryIn, documentOf, webhookIn } from './stored-webhook.ts';
import { leavingOnceEnded, queueing } from './turns.ts';

interface Known {
  readonly webhook: StoredWebhook;
  readonly audience: Audience;
}

/** Names its durable cursor. */
export const webhookConsumer = 'webhooks';
/** Deliveries of one commit, about. */
const deliveriesAtOnceMax = 500;
/** Deliveries that go on, or are removed, in one write. */
const atOnceMax = 100;
const besideMs = 1_000;
const sweepMs = 60_000;
/** A webhook that went on is looked through for longer than a write takes that held one of its deliveries meanwhile. */
const looksMax = Math.ceil(consumerLimits.writeMsMax / besideMs) + 1;

type OnTrouble = (message: string, cause: unknown) => void;

export class WebhookConsumer implements Consumer {
  readonly name = webhookConsumer;
  readonly isRepeatable = true;
  readonly #context: Context;
  readonly #jobOf: JobOf;
  readonly #onTrouble: OnTrouble;
  readonly #known = new Map<string, Known>();
  /** Webhooks that went on, and how often they are still looked through. */
  readonly #goingOn = new Map<string, number>();
  readonly #removed = new Set<string>();

  constructor(context: Context, jobOf: JobOf, onTrouble: OnTrouble) {
    this.#context = context;
    this.#jobOf = jobOf;
    this.#onTrouble = onTrouble;
  }

  get changesAtOnceMax(): number {
    return Math.max(1, Math.floor(deliveriesAtOnceMax / Math.max(1, this.#known.size)));
  }

  concerns(change: Change): boolean {
    const { resource } = change;
    return resource === webhooks.name || this.#context.contract.resources.has(resource) || isOfLostJob(change);
  }

  async handle(changes: readonly Change[]): Promise<readonly Mutation[]> {
    const { resources } = this.#context.contract;
    const ofDocuments = changes.flatMap((change) => (change.kind === 'document' && resources.has(change.resource) ? [change] : []));
    const traces: ReadonlyMap<Change, string> = await tracesOf(this.#context, ofDocuments);
    const how = { jobOf: this.#jobOf, nowMs: this.#context.now() };
    const ends = await endsOfLost(this.#context.store, changes, how);
    return changes.flatMap((change) => {
      if (change.resource !== webhooks.name) return this.#tell(change, traces.get(change));
      if (change.kind !== 'document') return [];
      this.#learn(change.id, change.after ?? undefined);
      return noticesOf(change, this.#known, how);
    }).concat(ends);
  }

  lost(head: Position): readonly Mutation[] {
    return [...this.#known].map(([id, known]) => this.#making(id, known, { event: 'resync' }, head));
  }

  async begin(): Promise<void> {
    this.#known.clear();
    for (let after: ListRequest['after']; ;) {
      const request = { equal: {}, range: undefined, sort: byId, where: true as const, after, limit: atOnceMax };
      const { value } = await this.#context.store.list(webhooks, request, inTime());
      for (const { document } of value) this.#learn(document.id, document.value);
      await this.#write(value.map(({ document: { id } }) => this.#sealing(id)));
      if (value.length < atOnceMax) return;
      after = value.at(-1)?.keys;
    }
  }

  async alongside(signal: AbortSignal): Promise<void> {
    let sweepAtMs = 0;
    let trouble = '';
    while (!signal.aborted) {
      try {
        for (const [id, looks] of this.#goingOn) await this.#goOn(id, looks);
        for (const id of this.#removed) await this.#erase(id);
        if (performance.now() >= sweepAtMs) {
          await this.#sweep();
          sweepAtMs = performance.now() + sweepMs;
        }
        trouble = '';
      } catch (cause) {
        // Once a second it is tried again, and what has been said is not said again.
        if (trouble !== (trouble = String(cause))) this.#onTrouble('webhooks: what waits could not be looked through', cause);
      }
      await pause(besideMs, signal);
    }
  }

  /** One that cannot be told anything, since its resource or its filter is not declared any more, stays and is not told. */
  #learn(id: string, stored: StoredDocument['value'] | undefined): void {
    const before = this.#known.get(id)?.webhook;
    this.#known.delete(id);
    if (stored === undefined) {
      this.#goingOn.delete(id);
      return void this.#removed.add(id);
    }
    const webhook = webhookIn(new StoredDocument(id, '', { id, ...stored }));
    const resource = this.#context.contract.resources.get(webhook.resource);
    try {
      if (resource !== undefined) this.#known.set(id, { webhook, audience: toAudience(mustBeServed(this.#context, resource), webhook) });
    } catch (cause) {
      this.#onTrouble(`webhook ${id}: its filter is not declared any more, and it is told nothing`, cause);
    }
    if (webhook.paused !== undefined) this.#goingOn.delete(id);
    else if (before === undefined || before.paused !== undefined) this.#goingOn.set(id, looksMax);
  }

  #tell(change: Change, trace: string | undefined): readonly Mutation[] {
    return [...this.#known].flatMap(([id, known]) => {
      const { webhook, audience } = known;
      if (webhook.resource !== change.resource) return [];
      const told = toldOf(change, audience);
      if (told === undefined || (told.event !== 'resync' && !webhook.events.includes(told.event))) return [];
      return [this.#making(id, known, told, change.position, trace)];
    });
  }

  #making(id: string, { webhook, audience }: Known, told: Told, position: Position, trace?: string): Mutation {
    const nowMs = this.#context.now();
    const token = signPosition(position, this.#context.settings.keys[0]);
    const body = toBody(told, { webhook, audience, token, nowMs });
    const isHeld = webhook.paused !== undefined;
    const event = `${webhook.resource}.${told.event}`;
    const delivery = { id: toDeliveryId(id, position), webhook: id, event, document: told.id ?? '', body, isHeld, trace };
    const isInLine = webhook.ordered && told.id !== undefined;
    return (isInLine ? queueing : making)(delivery, { jobOf: this.#jobOf, nowMs });
  }

  async #goOn(id: string, looks: number): Promise<void> {
    const held = await this.#idsOf({ webhook: id, state: 'held' });
    const sending = { jobOf: this.#jobOf, nowMs: this.#context.now() };
    await this.#write(held.map((each) => sendingAgain({ id: each, webhook: id }, ['held'], sending)));
    const isAnother = this.#goingOn.get(id) !== looks;
    if (held.length === atOnceMax || isAnother) return;
    if (looks > 1) this.#goingOn.set(id, looks - 1);
    else this.#goingOn.delete(id);
  }

  async #erase(id: string): Promise<void> {
    const left = await this.#idsOf({ webhook: id });
    const request = { equal: { webhook: [id] }, range: undefined, sort: byId, where: true as const, after: undefined, limit: atOnceMax };
    const { value: lines } = await this.#context.store.list(turns, request, inTime());
    const forgetting = lines.map(({ document }): Mutation => ({ resource: turns, id: document.id, decide: () => ({ kind: 'remove' }) }));
    await this.#write([...left.map(removing), ...forgetting]);
    if (left.length < atOnceMax && lines.length < atOnceMax) this.#removed.delete(id);
  }

  async #sweep(): Promise<void> {
    const range = { field: 'keptUntil', bounds: { lt: new Date(this.#context.now()).toISOString() } };
    const sort = [{ field: 'keptUntil', descending: false }, ...byId];
    const request = { equal: {}, range, sort, where: true as const, after: undefined, limit: atOnceMax };
    for (let found = atOnceMax; found === atOnceMax;) {
      const { value } = await this.#context.store.list(deliveries, request, inTime());
      await this.#write(value.flatMap(({ document }) => this.#overdue(document.id, deliveryIn(document))));
      found = value.length;
    }
  }

  #overdue(id: string, { webhook, turn }: StoredDelivery): readonly Mutation[] {
    const how = { jobOf: this.#jobOf, nowMs: this.#context.now() };
    return [overdue({ id, webhook }, how), ...(turn === undefined ? [] : [leavingOnceEnded(turn, { id, webhook }, how)])];
  }

  async #idsOf(given: Readonly<Record<string, string>>): Promise<readonly string[]> {
    const equal = Object.fromEntries(Object.entries(given).map(([field, value]) => [field, [value]]));
    const sort = [{ field: 'made', descending: false }, ...byId];
    const request = { equal, range: undefined, sort, where: true as const, after: undefined, limit: atOnceMax };
    return (await this.#context.store.list(deliveries, request, inTime())).value.map(({ document }) => document.id);
  }

  /** Under the key that signs now, so that one before can be taken out. */
  #sealing(id: string): Mutation {
    const { keys } = this.#context.settings;
    const sealed = (secret: string) => (isSealedUnder(secret, keys[0]) ? secret : sealSecret(openSecret(secret, id, keys), id, keys[0]));
    return {
      resource: webhooks, id,
      decide: (found) => {
        if (found === undefined) return { kind: 'keep' };
        const { previousSecret, ...webhook } = webhookIn(found);
        try {
          const before = previousSecret === undefined ? {} : { previousSecret: sealed(previousSecret) };
          const anew = { ...webhook, ...before, secret: sealed(webhook.secret) };
          return anew.secret === webhook.secret ? { kind: 'keep' } : { kind: 'put', document: documentOf(anew) };
        } catch (cause) {
          this.#onTrouble(`webhook ${id}`, cause);
          return { kind: 'keep' };
        }
      },
    };
  }

  async #write(mutations: readonly Mutation[]): Promise<void> {
    if (mutations.length > 0) await this.#context.store.write(mutations, inTime());
  }
}

const byId = [{ field: 'id', descending: false }];
interface Telling extends Known {
  readonly token: string;
  readonly nowMs: number;
}

/** `{"type", "timestamp", "data"}` (Standard Webhooks); a document that makes it too long is left out. */
function toBody({ event, id, document }: Told, { webhook, audience, token, nowMs }: Telling): string {
  const head = `{"type":${JSON.stringify(`${webhook.resource}.${event}`)},"timestamp":"${new Date(nowMs).toISOString()}","data":{`;
  const about = [...(id === undefined ? [] : [`"id":${idJsonOf(audience, id)}`]), `"position":${JSON.stringify(token)}`];
  const isFull = document !== undefined && webhook.payload === 'full';
  const full = isFull ? `${head}${[...about, `"document":${document}`].join()}}}` : undefined;
  if (full !== undefined && Buffer.byteLength(full) <= webhookLimits.bodyBytesMax) return full;
  return `${head}${about.join()}}}`;
}

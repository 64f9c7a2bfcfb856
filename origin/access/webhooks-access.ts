/**
 * What the handler of an operation on webhooks is given: webhooks as their caller may see them, and how their deliveries went.
 * A secret is in the answer to whoever made or rotated it, and nowhere else.
 */
import { randomBytes } from 'node:crypto';
import { toKeyId } from '../../shared/api-keys/key-text.ts';
import { toIdKey } from '../../shared/contract/ids.ts';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import type { ChangedWebhook, DeliveriesPage, NewWebhook, Resending, WebhooksPage } from '../../shared/webhooks/operations.ts';
import { deliveries, type StoredWebhook, webhooks } from '../../shared/webhooks/resource.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { toSortValue } from '../../shared/wire/values.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { OriginContext } from '../origin-context.ts';
import { absentAt, conditional, readOptions } from '../documents/representation.ts';
import { nonceOf, writeRecorded } from '../documents/write-one.ts';
import type { CountRequest, Decision, ListRequest, Mutation, Outcome } from '../store/store.ts';
import { bodiesNow } from '../webhooks/bodies-now.ts';
import { making, sendingAgain } from '../webhooks/delivery-writes.ts';
import { laneOf } from '../webhooks/delivery-job.ts';
import { type Judging, mustBeChanged, mustBeMade } from '../webhooks/given-webhook.ts';
import { newSecret, openedBy, sealSecret, toShownSecret } from '../webhooks/secrets.ts';
import { deliveryIn, documentOf, toShownDelivery, toShownWebhook, webhookIn } from '../webhooks/stored-webhook.ts';
import { oneByOne } from './one-by-one.ts';
import { isSeenBy, mustBeThere, mustBeUnkept, mustBeWritten, refusing } from './own-writes.ts';
import { seenBy } from './seen-by.ts';

const json = 'application/json';

export class WebhooksAccess {
  readonly #context: OriginContext;
  readonly #call: Asked;

  /** A webhook goes on when the API key is revoked that would have made it: with a token alone. */
  constructor(context: OriginContext, call: Asked) {
    if (call.principal.key !== undefined) throw new Fault('key_restricted', { detail: 'webhooks are managed with a token' });
    this.#context = context;
    this.#call = call;
  }

  async make(asked: NewWebhook): Promise<Answer> {
    mustBeUnkept(this.#call, whatElse);
    const made = mustBeMade(asked, this.#judging(), this.#context.now());
    return oneByOne(this.#context.store, 'webhooks', () => this.#make(made));
  }

  async #make(made: ReturnType<typeof mustBeMade>): Promise<Answer> {
    await this.#mustHavePlace(made.owner);
    const id = `wh_${toKeyId(this.#context.now(), randomBytes)}`;
    const secret = newSecret();
    const webhook = { ...made, secret: sealSecret(secret, id, this.#context.settings.keys[0]) };
    const mutation: Mutation = {
      resource: webhooks, id,
      decide: (found) => (found === undefined ? { kind: 'put', document: documentOf(webhook) } : refused(new Fault('document_exists'))),
    };
    const position = await this.#writeOne(mutation);
    return { outcome: 'created', createdId: id, writtenAt: position, mediaType: json, body: this.#withSecret(id, webhook, secret) };
  }

  async list({ limit, after }: WebhooksPage): Promise<StateAnswer> {
    const seen = seenBy(this.#call.principal);
    const equal = seen === true ? {} : { [seen.field]: [seen.value] };
    const from = after === undefined ? undefined : [toIdKey(webhooks, after)];
    const request = { equal, range: undefined, sort: byId, where: true as const, after: from, limit: limit + 1 };
    const { value: rows, position } = await this.#context.store.list(webhooks, request, readOptions(this.#call));
    const page = rows.slice(0, limit).map(({ document }) => document);
    const data = page.map((document) => toShownWebhook(document.id, webhookIn(document), this.#context.now()));
    const next = rows.length > limit ? (page.at(-1)?.id ?? null) : null;
    return conditional(this.#call, [JSON.stringify({ data, page: { limit, next } })], { readAt: position });
  }

  async get(): Promise<StateAnswer> {
    const { value: found, position } = await this.#context.store.get(webhooks, this.#call.id, readOptions(this.#call));
    if (!isSeenBy(found, this.#call.principal)) return absentAt(position);
    return conditional(this.#call, [this.#shown(webhookIn(found))], { readAt: position });
  }

  change(asked: ChangedWebhook): Promise<Answer> {
    return this.#change((webhook) => mustBeChanged(asked, webhook, this.#judging(), this.#context.now()));
  }

  /** Whoever knows the secret can sign as this origin, so nobody else is given it. */
  async rotate(overlapSeconds: number): Promise<Answer> {
    mustBeUnkept(this.#call, whatElse);
    const { id, principal } = this.#call;
    const now = this.#context.now();
    const { keys } = this.#context.settings;
    const secret = newSecret();
    const answer = await this.#change((webhook) => {
      if (webhook.owner !== principal.subject) throw new Fault('forbidden', { detail: 'only its owner rotates the secret of a webhook' });
      const { secret: previousSecret, previousSecret: _secret, previousUntil: _until, ...kept } = webhook;
      const previousUntil = new Date(now + overlapSeconds * 1_000).toISOString();
      // One that no key opens signs nothing any more.
      const before = openedBy(previousSecret, id, keys) === undefined ? {} : { previousSecret, previousUntil };
      return { ...kept, ...before, secret: sealSecret(secret, id, keys[0]) };
    }, (webhook) => this.#withSecret(id, webhook, secret));
    return { ...answer, outcome: 'created', createdId: id };
  }

  async remove(): Promise<Answer> {
    const mutation = this.#deciding(() => ({ kind: 'remove' }));
    const toAnswer = ([outcome]: readonly Outcome[]): Answer => (mustBeWritten(outcome), { outcome: 'removed' });
    return (await writeRecorded(this.#context.store, this.#call, { mutations: [mutation], atomic: false, toAnswer })).answer;
  }

  /** It is delivered as events are, also where the webhook is told none. */
  async test(): Promise<Answer> {
    const { id: webhook } = this.#call;
    const nowMs = this.#context.now();
    const delivery = `msg_${randomBytes(16).toString('hex')}`;
    const body = JSON.stringify({ type: 'webhook.test', timestamp: new Date(nowMs).toISOString(), data: { webhook } });
    const made = making({ id: delivery, webhook, event: 'webhook.test', document: '', body, isHeld: false }, this.#sending(nowMs));
    return this.#send([made], ([outcome]) => toShownDelivery(delivery, deliveryIn(mustBeThere(outcome))));
  }

  async deliveries({ limit, state, after }: DeliveriesPage): Promise<StateAnswer> {
    const { id } = this.#call;
    const { value: found, position } = await this.#context.store.get(webhooks, id, readOptions(this.#call));
    if (!isSeenBy(found, this.#call.principal)) return absentAt(position);
    const webhook = webhookIn(found);
    this.#mustOwn(webhook);
    const from = after === undefined ? undefined : [toSortValue(after.made, 'instant'), toIdKey(deliveries, after.id)];
    const equal = { webhook: [id], ...(state === undefined ? {} : { state: [state] }) };
    const request: ListRequest = { equal, range: undefined, sort: newestFirst, where: true, after: from, limit: limit + 1 };
    const read = await this.#context.store.list(deliveries, request, readOptions(this.#call));
    const page = read.value.slice(0, limit).map(({ document }) => ({ id: document.id, delivery: deliveryIn(document) }));
    const last = page.at(-1);
    const next = read.value.length > limit && last !== undefined ? `${last.delivery.made}_${last.id}` : null;
    const bodyOf = await bodiesNow(this.#context, webhook, page.map(({ delivery }) => delivery), readOptions(this.#call));
    const data = page.map(({ id: each, delivery }) => toShownDelivery(each, { ...delivery, body: bodyOf(delivery) }));
    return conditional(this.#call, [JSON.stringify({ data, page: { limit, next } })], { readAt: read.position });
  }

  async resend({ delivery, from, to, state }: Resending): Promise<Answer> {
    const isOne = delivery !== undefined && from === undefined && to === undefined && state === undefined;
    const isRange = delivery === undefined && from !== undefined && to !== undefined && Date.parse(from) < Date.parse(to);
    if (!isOne && !isRange) throw invalid('', 'names one delivery, or a range: from, and a later to');
    const ids = isRange ? await this.#endedBetween(from, to, state) : [delivery ?? ''];
    const otherwise = (): Decision => refused(new Fault('document_conflict', { detail: 'the delivery waits already' }));
    const sending = this.#sending(this.#context.now());
    const mutations = ids.map((id): Mutation => {
      const again = sendingAgain({ id, webhook: this.#call.id }, ['delivered', 'dead'], sending, isOne ? otherwise : undefined);
      return {
        ...again,
        decide: (found, reach) => {
          const isOfThis = found !== undefined && deliveryIn(found).webhook === this.#call.id;
          return isOfThis || isRange ? again.decide(found, reach) : refused(invalid('/delivery', 'no such delivery of this webhook'));
        },
      };
    });
    return this.#send(mutations, (outcomes) => ({ resent: outcomes.filter(({ kind }) => kind === 'written').length }));
  }

  /** Within the time that deliveries are kept: what was before is not known any more. */
  async #endedBetween(from: string, to: string, state: Resending['state']): Promise<readonly string[]> {
    const { id, deadline } = this.#call;
    const earliest = this.#context.now() - webhookLimits.keptMs;
    if (Date.parse(from) < earliest) throw invalid('/from', `deliveries are kept since ${new Date(earliest).toISOString()}`);
    const found: string[] = [];
    for (const each of state === undefined ? ['delivered', 'dead'] as const : [state]) {
      const range = { field: 'made', bounds: { gte: new Date(from).toISOString(), lt: new Date(to).toISOString() } };
      const equal = { webhook: [id], state: [each] };
      const request: ListRequest = { equal, range, sort: oldestFirst, where: true, after: undefined, limit: webhookLimits.resentMax + 1 };
      const { value } = await this.#context.store.list(deliveries, request, { deadline });
      found.push(...value.map(({ document }) => document.id));
    }
    if (found.length > webhookLimits.resentMax) throw invalid('/to', `more than ${webhookLimits.resentMax} deliveries; a shorter range`);
    return found;
  }

  /** Deliveries of the call's webhook, which must be its caller's and not paused, as it is in the same transaction. */
  async #send(mutations: readonly Mutation[], toBody: (outcomes: readonly Outcome[]) => object): Promise<Answer> {
    const guard = this.#deciding((webhook) => {
      this.#mustOwn(webhook);
      if (webhook.paused !== undefined) throw new Fault('document_conflict', { detail: 'the webhook is paused' });
      return { kind: 'keep' };
    });
    const toAnswer = ([first, ...outcomes]: readonly Outcome[]): Answer => {
      mustBeWritten([first, ...outcomes].find((outcome) => outcome?.kind === 'refused') ?? first);
      return { outcome: 'written', mediaType: json, body: JSON.stringify(toBody(outcomes)) };
    };
    return (await writeRecorded(this.#context.store, this.#call, { mutations: [guard, ...mutations], atomic: true, toAnswer })).answer;
  }

  async #change(
    change: (webhook: StoredWebhook) => StoredWebhook, toBody = (webhook: StoredWebhook) => this.#shown(webhook),
  ): Promise<Answer> {
    const mutation = this.#deciding((webhook) => ({ kind: 'put', document: documentOf(change(webhook)) }));
    const toAnswer = ([outcome]: readonly Outcome[]): Answer =>
      ({ outcome: 'written', mediaType: json, body: toBody(webhookIn(mustBeThere(outcome))) });
    return (await writeRecorded(this.#context.store, this.#call, { mutations: [mutation], atomic: false, toAnswer })).answer;
  }

  #deciding(decide: (webhook: StoredWebhook) => Decision): Mutation {
    return {
      resource: webhooks, id: this.#call.id,
      decide: (found) => refusing(() => {
        if (!isSeenBy(found, this.#call.principal)) throw new Fault('document_not_found');
        return decide(webhookIn(found));
      }),
    };
  }

  async #writeOne(mutation: Mutation) {
    const { outcomes, position } = await this.#context.store.write([mutation], { deadline: this.#call.deadline, ...nonceOf(this.#call) });
    mustBeWritten(outcomes[0]);
    return position;
  }

  async #mustHavePlace(owner: string): Promise<void> {
    const { store } = this.#context;
    const { ofOneMax, ofAllMax } = webhookLimits;
    const [own, all] = await Promise.all([
      store.count(webhooks, toCount({ owner: [owner] }), ofOneMax, readOptions(this.#call)),
      store.count(webhooks, toCount({}), ofAllMax, readOptions(this.#call)),
    ]);
    if (own.value >= ofOneMax) throw new Fault('document_conflict', { detail: `you have ${own.value} webhooks: remove one of them` });
    if (all.value >= ofAllMax) throw new Fault('document_conflict', { detail: `there are ${all.value} webhooks, and no more are taken` });
  }

  #judging(): Judging {
    const { contract, settings } = this.#context;
    return { contract, settings, principal: this.#call.principal };
  }

  #sending(nowMs: number) {
    return { jobOf: laneOf(this.#context.delivers), nowMs };
  }

  /** Deliveries show what its owner may read, which an admin may not. */
  #mustOwn({ owner }: StoredWebhook): void {
    if (owner !== this.#call.principal.subject) throw new Fault('forbidden', { detail: 'the deliveries of a webhook are its owner\'s' });
  }

  #shown(webhook: StoredWebhook): string {
    return JSON.stringify(toShownWebhook(this.#call.id, webhook, this.#context.now()));
  }

  #withSecret(id: string, webhook: StoredWebhook, secret: Uint8Array): string {
    return JSON.stringify({ ...toShownWebhook(id, webhook, this.#context.now()), secret: toShownSecret(secret) });
  }
}

const whatElse = 'a secret is shown once and not kept: where its answer is lost, rotate it';

const byId = [{ field: 'id', descending: false }];
const oldestFirst = [{ field: 'made', descending: false }, ...byId];
const newestFirst = [{ field: 'made', descending: true }, { field: 'id', descending: true }];

function toCount(equal: CountRequest['equal']): CountRequest {
  return { equal, range: undefined, sort: byId, where: true };
}

function invalid(at: string, detail: string): Fault {
  return documentInvalid([{ at, in: 'body', detail }]);
}

function refused(fault: Fault): Decision {
  return { kind: 'refuse', fault };
}

/**
 * The order of what an ordered webhook is told of one document: a line of deliveries of which the first alone is sent, so an event
 * that fails holds up those of its document and no others.
 *
 *   a change ──▶ the line is empty: waiting, with its job │ else: queued      the first ended, or was forgotten ──▶ the next: waiting
 */
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import { deliveries, type StoredDelivery, turns } from '../../shared/webhooks/resource.ts';
import type { FollowUp, Mutation } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { enqueued, isNamed, keptFrom, type Making, madeOf, type NewDelivery } from './delivery-writes.ts';
import { deliveryIn, documentOf } from './stored-webhook.ts';

function toTurnId({ webhook, document }: Pick<NewDelivery, 'webhook' | 'document'>): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify([webhook, document])).digest('hex');
}

function lineIn(found: StoredDocument | undefined): readonly string[] {
  return (found?.value['line'] as readonly string[] | undefined) ?? [];
}

/** A new delivery at the end of the line of its document; past the bound it is dead, and can be sent again. */
export function queueing(delivery: NewDelivery, making: Making): Mutation {
  const { id, webhook } = delivery;
  const turn = toTurnId(delivery);
  const made = { ...madeOf(delivery, making.nowMs), turn };
  const put = (state: Partial<StoredDelivery>): FollowUp =>
    ({ resource: deliveries, id, decide: () => ({ kind: 'put', document: documentOf({ ...made, ...state }) }) });
  const job = delivery.isHeld ? [] : [enqueued(making, { webhook, id }, isNamed)];
  return {
    resource: turns, id: turn,
    decide: (found) => {
      const line = lineIn(found);
      const tooLong = `${webhookLimits.lineMax} deliveries of its document wait before it`;
      if (line.length >= webhookLimits.lineMax) {
        return { kind: 'put', document: { webhook, line: [...line] }, also: [put({ state: 'dead', error: tooLong })] };
      }
      const also = line.length === 0 ? [put({}), ...job] : [put({ state: 'queued' })];
      return { kind: 'put', document: { webhook, line: [...line, id] }, also };
    },
  };
}

/** It has ended, or is forgotten: the next of its line is sent. */
export function leaving(turn: string, { id, webhook }: Pick<NewDelivery, 'id' | 'webhook'>, making: Making): Mutation {
  return {
    resource: turns, id: turn,
    decide: (found) => {
      const line = lineIn(found);
      if (!line.includes(id)) return { kind: 'keep' };
      const left = line.filter((each) => each !== id);
      const [next] = left;
      if (next === undefined) return { kind: 'remove' };
      const also = line[0] === id ? [going(next, making.nowMs), enqueued(making, { webhook, id: next }, isNamed)] : [];
      return { kind: 'put', document: { webhook, line: left }, also };
    },
  };
}

/** Like `leaving`, but for one that is still to be sent by then. */
export function leavingOnceEnded(turn: string, of: Pick<NewDelivery, 'id' | 'webhook'>, making: Making): Mutation {
  const left = leaving(turn, of, making);
  return {
    ...left,
    decide: (found, reach) => {
      const there = reach.named(deliveries, of.id, { stays: false });
      const hasEnded = there === undefined || ['delivered', 'dead'].includes(deliveryIn(there).state);
      return hasEnded ? left.decide(found, reach) : { kind: 'keep' };
    },
  };
}

function going(id: string, nowMs: number): FollowUp {
  return {
    resource: deliveries, id,
    decide: (found) => {
      const delivery = found === undefined ? undefined : deliveryIn(found);
      if (delivery?.state !== 'queued') return { kind: 'keep' };
      return { kind: 'put', document: documentOf({ ...delivery, state: 'waiting', ...keptFrom(nowMs) }) };
    },
  };
}

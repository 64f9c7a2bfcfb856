/** What the handler of the edge's word on use is given: the one write of an alert about whom the edge asks for. */
import type { UsageAlert } from '../../shared/usage/operations.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { mustMake } from '../documents/new-document.ts';
import { nonceOf, toDecide } from '../documents/write-one.ts';
import { mustBeWritten } from './own-writes.ts';
import { asSystem } from './on-behalf.ts';

export class UsageAccess {
  readonly #context: Context;
  readonly #call: Asked;

  constructor(context: Context, call: Asked) {
    this.#context = context;
    this.#call = call;
  }

  /** Told again it changes nothing: its id is made of what it says. */
  async noteAlert(alert: UsageAlert): Promise<Answer> {
    const { subject, claims: { tenant } } = this.#call.principal;
    if (subject === undefined) throw new Fault('token_missing', { detail: 'an alert is about somebody' });
    const { key, month, share, plan, quota, isOfTenant } = alert;
    const whose = {
      ...(isOfTenant === true ? {} : { subject }),
      ...(tenant === undefined ? {} : { tenant: String(tenant) }),
      ...(key === undefined ? {} : { key }),
    };
    const id = new Bun.CryptoHasher('sha256').update(JSON.stringify([whose, month, share])).digest('hex');
    const body = { ...whose, plan, share, quota, month };
    const asked = asSystem(this.#call)(this.#call.resource, id);
    const decide = toDecide(this.#context, asked, (found) =>
      (found === undefined ? mustMake(asked, { id, body, nowMs: this.#context.now() }) : 'keep'));
    const { outcomes: [outcome], position } = await this.#context.store.write(
      [{ resource: asked.resource, id, decide }], { deadline: this.#call.deadline, ...nonceOf(this.#call) },
    );
    if (outcome?.kind === 'refused') mustBeWritten(outcome);
    return { outcome: 'removed', writtenAt: position };
  }
}

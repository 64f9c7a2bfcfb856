/** The operations of a transaction as writes: each with the rights, conditions and rules of a request of its own. */
import { inPlace } from '../../shared/contract/documents.ts';
import { toIdValue } from '../../shared/contract/ids.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { bodyMemberOf, type Step, type StepWrite, toWrite, type Upsert } from '../../shared/operations/steps.ts';
import { rowsOfSteps } from '../../shared/operations/transaction.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { creating, type Decide, type Now, patching, putting, removing } from '../documents/decisions.ts';
import { inStore } from '../documents/in-store.ts';
import { newId } from '../documents/new-document.ts';
import { toNew, toReplaced, upsertTriesMax } from '../documents/upsert.ts';
import { mustHaveKey, UpsertTargets } from '../documents/upserts-together.ts';
import { type Part, placed, writeTogether } from '../documents/write-together.ts';
import { mustGrant } from '../rights.ts';

/** Begins again while others take and leave the keys of its upserts, or its own operations do; each time one of them is settled. */
export async function transact(context: Context, call: Asked, steps: readonly Step[]): Promise<Answer> {
  const targets = new UpsertTargets(context.store, call.deadline);
  let asked = call;
  for (let tries = 1; ; tries++) {
    const parts = await partsOfSteps(context, asked, steps, targets);
    const triesMax = upsertTriesMax + targets.size;
    try {
      return await writeTogether(context, asked, parts, { atomic: true });
    } catch (thrown) {
      if (!targets.isMoved(thrown) || tries >= triesMax) throw thrown;
      // As an upsert alone: what is refused has spent its nonce, unless there was a record to undo it with.
      if (call.idempotency === undefined) asked = { ...call, nonce: undefined };
    }
  }
}

/** What no document could allow is refused here, as alone, before anything is written. */
async function partsOfSteps(context: Context, call: Asked, steps: readonly Step[], targets: UpsertTargets): Promise<readonly Part[]> {
  const ids = new Map<string, Json>();
  const parts: Part[] = [];
  for (const [index, step] of steps.entries()) {
    const at = `/operations/${index}`;
    try {
      parts.push(await toPart(context, call, { step, index, at, ids, targets }));
    } catch (thrown) {
      throw thrown instanceof Fault ? placed(thrown, { asked: call, at, body: at }) : thrown;
    }
  }
  return parts;
}

/** Stands in for the number that an upsert of nobody's key should name and does not: it is refused once nobody is found. */
const unnamed = '0';

interface Placed {
  readonly step: Step;
  readonly index: number;
  readonly at: string;
  /** By the names that operations gave; this one adds its own. */
  readonly ids: Map<string, Json>;
  readonly targets: UpsertTargets;
}

async function toPart({ contract, store, now: clock }: Context, call: Asked, { step, index, at, ids, targets }: Placed): Promise<Part> {
  const declared = contract.resources.get(step.resource);
  if (declared === undefined) throw new Fault('document_invalid', { detail: `no such resource: "${step.resource}"` });
  const resource = inStore(store, declared);
  const operation = rowsOfSteps[step.op];
  const rights = mustGrant(operation, resource, call.principal);
  const conditions = { 'if-match': step.ifMatch, 'if-none-match': step.ifNoneMatch };
  const preconditions = mustPreconditions({ operation, resource }, (name) => conditions[name] ?? null);
  const now: Now = () => clock();
  const write = toWrite(step, resource, ids);
  const target = write.op !== 'upsert' ? undefined
    : await targets.target(index, resource, write, inPlace('/body', () => mustHaveKey(resource, write)));
  const id = target?.holder ?? write.id ?? targets.idOf(index, () => (resource.id === 'integer' ? unnamed : newId(resource, now())));
  if (step.as !== undefined) ids.set(step.as, toIdValue(resource, id));
  const asked = { ...call, operation, resource, id, rights, preconditions };
  const decide: Decide = (found) => {
    if (write.op !== 'upsert') return toDecide(asked, write, now)(found);
    const upsert = { unique: write.unique, body: { sent: write.sent, value: write.value }, now };
    if (target?.holder !== undefined) return toReplaced(asked, upsert, target.holder, target.moved).decide(found);
    if (target !== undefined) targets.mustBeFree(index, resource, target);
    return toNew(asked, upsert)(found);
  };
  return {
    asked, at, body: `${at}/${bodyMemberOf(step)}`, told: { resource: resource.name },
    isFresh: write.op === 'create' && write.id === undefined,
    decide: targets.noting(index, { resource, id }, decide),
  };
}

function toDecide(asked: Asked, write: Exclude<StepWrite, Upsert>, now: Now): Decide {
  switch (write.op) {
    case 'create':
      return creating(asked, write.value, now);
    case 'replace':
      return putting(asked, write, now);
    case 'patch':
      return patching(asked, write.patch, now);
    case 'remove':
      return removing(asked, now);
  }
}

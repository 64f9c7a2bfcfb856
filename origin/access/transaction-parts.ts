/** The operations of a transaction as writes: each with the rights, conditions and rules of a request of its own. */
import { toIdValue } from '../../shared/contract/ids.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { bodyMemberOf, type Step, type StepWrite, toWrite } from '../../shared/operations/steps.ts';
import { rowsOfSteps } from '../../shared/operations/transaction.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Json } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { creating, type Decide, type Now, patching, putting, removing } from '../documents/decisions.ts';
import { inStore } from '../documents/in-store.ts';
import { newId } from '../documents/new-document.ts';
import { type Part, placed } from '../documents/write-together.ts';
import { mustGrant } from '../rights.ts';

/** What no document could allow is refused here, as alone, before anything is read. */
export function partsOfSteps(context: Context, call: Asked, steps: readonly Step[]): readonly Part[] {
  const ids = new Map<string, Json>();
  return steps.map((step, index) => {
    const at = `/operations/${index}`;
    try {
      return toPart(context, call, { step, at, ids });
    } catch (thrown) {
      throw thrown instanceof Fault ? placed(thrown, { asked: call, at, body: at }) : thrown;
    }
  });
}

interface Placed {
  readonly step: Step;
  readonly at: string;
  /** By the names that operations gave; this one adds its own. */
  readonly ids: Map<string, Json>;
}

function toPart({ contract, store, now: clock }: Context, call: Asked, { step, at, ids }: Placed): Part {
  const declared = contract.resources.get(step.resource);
  if (declared === undefined) throw new Fault('document_invalid', { detail: `no such resource: "${step.resource}"` });
  const resource = inStore(store, declared);
  const operation = rowsOfSteps[step.op];
  const rights = mustGrant(operation, resource, call.principal);
  const conditions = { 'if-match': step.ifMatch, 'if-none-match': step.ifNoneMatch };
  const preconditions = mustPreconditions({ operation, resource }, (name) => conditions[name] ?? null);
  const now: Now = () => clock();
  const write = toWrite(step, resource, ids);
  const id = write.id ?? newId(resource, now());
  if (step.as !== undefined) ids.set(step.as, toIdValue(resource, id));
  const asked = { ...call, operation, resource, id, rights, preconditions };
  return {
    asked, at, body: `${at}/${bodyMemberOf(step)}`, told: { resource: resource.name },
    decide: (found) => toDecide(asked, write, now)(found),
  };
}

function toDecide(asked: Asked, write: StepWrite, now: Now): Decide {
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

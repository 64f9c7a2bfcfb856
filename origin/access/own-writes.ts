/** Writes of Tombolo's own resources: what their decisions refuse, and what their outcomes are to be. */
import { satisfies } from '../../shared/contract/rules.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Asked } from '../call.ts';
import type { Decision, Outcome } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import { seenBy } from './seen-by.ts';

/** A fault that is thrown while it is decided is a refusal. */
export function refusing(decide: () => Decision): Decision {
  try {
    return decide();
  } catch (thrown) {
    if (thrown instanceof Fault) return { kind: 'refuse', fault: thrown };
    throw thrown;
  }
}

/** Whether it is the principal's own, or one that they administer. */
export function isSeenBy(found: StoredDocument | undefined, principal: Principal): found is StoredDocument {
  return found !== undefined && satisfies(found.value, seenBy(principal));
}

/** Throws what refused the write. */
export function mustBeWritten(outcome: Outcome | undefined): void {
  if (outcome?.kind === 'refused') throw outcome.fault;
  if (outcome?.kind !== 'written') throw new Error('a write gave no outcome of its own');
}

/** The document that the write left. */
export function mustBeThere(outcome: Outcome | undefined): StoredDocument {
  mustBeWritten(outcome);
  if (outcome?.kind !== 'written' || outcome.after === undefined) throw new Error('what was written is not there');
  return outcome.after;
}

/** What an idempotency key would keep is the answer, with what is shown once in it: `detail` says what to do instead. */
export function mustBeUnkept({ idempotency }: Asked, detail: string): void {
  if (idempotency !== undefined) throw new Fault('idempotency_refused', { detail });
}

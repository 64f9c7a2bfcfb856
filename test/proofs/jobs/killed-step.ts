/**
 * Ends this process as kill -9 does at a step of a job's life: within the transaction that writes it, decided and not committed, or
 * after its commit, before anybody here has heard of it.
 */
import { appendFileSync } from 'node:fs';
import { jobs } from '../../../shared/jobs/resource.ts';
import type { About, PlainDecision, Store } from '../../../origin/store/store.ts';
import type { StoredDocument } from '../../../origin/store/stored-document.ts';
import type { Random } from '../../support/random.ts';

/** Every write of the queue but those of what has ended: the state before it, and after it. */
const steps = [
  'none ready', 'ready running', 'running running', 'running done', 'running delayed', 'delayed ready', 'running ready',
] as const;
const moments = ['within', 'after'] as const;

export interface KilledStep {
  readonly step: (typeof steps)[number];
  readonly moment: (typeof moments)[number];
  /** So many of the kind pass before. */
  readonly skip: number;
}

export function anyStep(random: Random): KilledStep {
  return { step: random.pick(steps), moment: random.pick(moments), skip: random.below(2) };
}

/** `file`: where a line tells of the step before the process ends. */
export function killAtStep(store: Store, file: string, { step, moment, skip }: KilledStep): void {
  let left = skip;
  const write = store.write.bind(store);
  store.write = async (mutations, options) => {
    let isMet = false;
    const watched = (of: About, before: StoredDocument | undefined, decision: PlainDecision) => {
      if (of.resource.name !== jobs.name || decision.kind !== 'put') return;
      if (`${String(before?.value['state'] ?? 'none')} ${String(decision.document['state'])}` !== step || left-- > 0) return;
      isMet = true;
      if (moment === 'within') die(file, `${step} ${moment}`);
    };
    const written = await write(mutations.map((mutation) => ({
      ...mutation,
      decide: (before, reach) => {
        const decision = mutation.decide(before, reach);
        watched(mutation, before, decision);
        const also = decision.also?.map((caused) => ({
          ...caused,
          decide: (found: StoredDocument | undefined) => {
            const made = caused.decide(found);
            watched(caused, found, made);
            return made;
          },
        }));
        return also === undefined ? decision : { ...decision, also };
      },
    })), options);
    if (isMet) die(file, `${step} ${moment}`);
    return written;
  };
}

export function die(file: string, why: string): void {
  appendFileSync(file, `${why}\n`);
  process.kill(process.pid, 'SIGKILL');
}

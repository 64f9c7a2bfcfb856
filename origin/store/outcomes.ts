/** What the outcomes of a write come to when one of its mutations is refused. */
import type { Outcome } from './store.ts';

/** The outcomes as they are where nothing was refused; otherwise all but the refused ones `undone`. */
export function undoneBy(outcomes: readonly Outcome[]): readonly Outcome[] {
  if (outcomes.every(({ kind }) => kind !== 'refused')) return outcomes;
  return outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome : { kind: 'undone' }));
}

export function isUndone(outcomes: readonly Outcome[]): boolean {
  return outcomes.length > 0 && outcomes.every(({ kind }) => kind !== 'written');
}

/** For whoever writes what nobody refuses: throws the first refusal. */
export function mustNoneBeRefused(outcomes: readonly Outcome[]): void {
  const refused = outcomes.find((outcome) => outcome.kind === 'refused');
  if (refused !== undefined) throw refused.fault;
}

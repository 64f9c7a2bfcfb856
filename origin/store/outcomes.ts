/** What becomes of the outcomes of an atomic write when one of its mutations is refused. */
import type { Outcome } from './store.ts';

/** The outcomes as they are where nothing was refused; otherwise all but the refused ones `undone`. */
export function undoneBy(outcomes: readonly Outcome[]): readonly Outcome[] {
  if (outcomes.every(({ kind }) => kind !== 'refused')) return outcomes;
  return outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome : { kind: 'undone' }));
}

export function isUndone(outcomes: readonly Outcome[]): boolean {
  return outcomes.length > 0 && outcomes.every(({ kind }) => kind !== 'written');
}

/**
 * Up to where this process knows of all changes, at the moment that it is asked; `undefined` where it does not know, and
 * then no kept answer is shown. The store tells exactly, also what other programs have committed.
 */
import type { Position } from '../../shared/wire/position.ts';
import type { Store } from '../store/store.ts';
import type { Generations } from './generations.ts';

export interface CurrentState {
  /** What has changed up to there is raised. */
  look(): Position | undefined;
}

/** `from`: a position from which on all is raised. */
export function exactState(store: Store, from: Position, generations: Generations): CurrentState {
  let through = from;
  return {
    look() {
      const news = store.news?.(through);
      if (news === undefined) return undefined;
      if (news.changes === undefined) generations.restart(news.head);
      else if (news.changes.length > 0) generations.raise(news.changes);
      through = news.head;
      return through;
    },
  };
}

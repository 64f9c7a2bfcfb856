/**
 * Up to where this process knows of all changes, at the moment that it is asked; `undefined` where it does not know, and
 * then no kept answer is shown. SQLite tells exactly, also what other programs have committed. On MongoDB the feed tells,
 * within a bound: while it is silent, or behind what this process has committed, nothing is known.
 *
 *   exact      ── asked ──▶ the store tells what is new ──▶ raised ──▶ its head
 *   followed   ── the feed tells what is new ──▶ raised   ── asked ──▶ where it stands, if it was complete a moment ago
 */
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { Feed } from '../feed/feed.ts';
import type { Store } from '../store/store.ts';
import type { Generations } from './generations.ts';

export interface CurrentState {
  /** Whether a read would see nothing newer. */
  readonly isExact: boolean;
  /** What has changed up to there is raised. */
  look(): Position | undefined;
}

/** A feed that was complete longer ago tells nothing: two of its idle batches may be late (`storeLimits.watermarkMs`). */
const completeMsMax = 250;

/** `from`: a position from which on all is raised. */
export function exactState(store: Store, from: Position, generations: Generations): CurrentState {
  let through = from;
  return {
    isExact: true,
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

interface Followed {
  readonly store: Store;
  readonly feed: Feed;
}

/** Follows until the feed ends. What this process itself has committed is always known. */
export function followedState({ store, feed }: Followed, from: Position, generations: Generations): CurrentState {
  let through = from;
  let completeAtMs = Number.NEGATIVE_INFINITY;
  const follow = async () => {
    for await (const step of feed.follow(from, new AbortController().signal, 'watermark')) {
      if (step.kind === 'lost') generations.restart(step.through);
      else if (step.changes.length > 0) generations.raise(step.changes);
      through = step.through;
      completeAtMs = (step.kind === 'lost' ? undefined : step.completeAtMs) ?? Number.NEGATIVE_INFINITY;
    }
  };
  // A store that fails under a follower who is behind ends it: from then on nothing is known.
  void follow().catch(() => undefined).finally(() => (completeAtMs = Number.NEGATIVE_INFINITY));
  const isKnown = () => performance.now() - completeAtMs <= completeMsMax && reaches(through, store.knownHead());
  return { isExact: false, look: () => (isKnown() ? through : undefined) };
}

/**
 * What counts and then makes, one after another, so that of several who ask at once none finds the same place. Of one process:
 * each process beside it may make one more.
 */
import type { Store } from '../store/store.ts';

const lastOf = new WeakMap<Pick<Store, 'write'>, Map<string, Promise<unknown>>>();

/** `name`: whose turns they are. Each waits for those who came before, all of whom have deadlines. */
export async function oneByOne<T>(store: Pick<Store, 'write'>, name: string, work: () => Promise<T>): Promise<T> {
  const turns = lastOf.get(store) ?? new Map<string, Promise<unknown>>();
  lastOf.set(store, turns);
  const turn = (turns.get(name) ?? Promise.resolve()).then(work);
  const over = turn.catch(() => undefined);
  turns.set(name, over);
  try {
    return await turn;
  } finally {
    if (turns.get(name) === over) turns.delete(name);
  }
}

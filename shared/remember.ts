/** Keeps a value as the newest of a Map, which holds its keys in the order of their arrival; past `max` the oldest goes. */
export function remember<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value, max: number): void {
  kept.delete(key);
  if (kept.size >= max) {
    const { done, value: oldest } = kept.keys().next();
    if (done !== true) kept.delete(oldest);
  }
  kept.set(key, value);
}

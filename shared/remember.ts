/** Keeps a value as the newest of a Map, which holds its keys in the order of their arrival; past `max` the oldest goes. */
export function remember<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value, max: number): void {
  kept.delete(key);
  if (kept.size >= max) {
    const { done, value: oldest } = kept.keys().next();
    if (done !== true) kept.delete(oldest);
  }
  kept.set(key, value);
}

/** What follows from an object alone, made when it is first asked for and found by it afterwards. */
export function madeOnce<Of extends object, Made>(make: (of: Of) => Made): (of: Of) => Made {
  const kept = new WeakMap<Of, Made>();
  return (of) => {
    const known = kept.get(of);
    if (known !== undefined) return known;
    const made = make(of);
    kept.set(of, made);
    return made;
  };
}

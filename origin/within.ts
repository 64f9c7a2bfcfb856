export const late = Symbol('late');

/** What `work` gives, or `late` where that takes longer; no timer outlives the wait, and `work` goes on. */
export async function within<T>(ms: number, work: T | Promise<T>): Promise<T | typeof late> {
  const { promise: over, resolve } = Promise.withResolvers<typeof late>();
  const timer = setTimeout(resolve, Math.max(0, ms), late);
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Deadlines of questions to the database. The driver keeps none (its `timeoutMS` does nothing), so the server is told
 * by `maxTimeMS`, and what hangs between us and it is not waited for: the question ends by itself, with its answer or
 * its socket, and holds its connection until then.
 */
import { deadlineExceeded } from './errors.ts';

export async function inTime<T>(msLeft: number, ask: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(deadlineExceeded()), Math.max(0, msLeft));
  try {
    return await Promise.race([ask(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

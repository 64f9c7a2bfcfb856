/** Transactions over several documents, of which the database's own checks may refuse one, and with it all. */
import type { ClientSession, Db } from 'mongodb';
import { codes, firstWriteError, withoutBulk } from '../connection/errors.ts';

const asOne = { readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } } as const;

export interface Apart<T> {
  /** How many documents were written. */
  readonly written: number;
  /** Those that the checks refuse by themselves. */
  readonly refused: readonly T[];
}

/**
 * Carries out `run`, which says how many documents it wrote, in one transaction for all items, and where the checks refuse that
 * for either half alone. It may be tried several times: other writers' conflicts begin it again.
 */
export async function refusedApart<T>(
  database: Db, items: readonly T[], run: (items: readonly T[], session: ClientSession) => Promise<number>,
): Promise<Apart<T>> {
  if (items.length === 0) return { written: 0, refused: [] };
  try {
    const written = await database.client.withSession((session) =>
      session.withTransaction((within) => run(items, within).catch((error: unknown) => Promise.reject(toCause(error))), asOne));
    return { written, refused: [] };
  } catch (error) {
    if (!(error instanceof ChecksRefuse)) throw error;
    if (items.length === 1) return { written: 0, refused: items };
    const middle = Math.ceil(items.length / 2);
    const first = await refusedApart(database, items.slice(0, middle), run);
    const second = await refusedApart(database, items.slice(middle), run);
    return { written: first.written + second.written, refused: [...first.refused, ...second.refused] };
  }
}

/** No error of the driver's: a transaction that ends with it is not begun again. */
class ChecksRefuse extends Error {}

function toCause(error: unknown): Error {
  return firstWriteError(error)?.code === codes.documentValidation ? new ChecksRefuse() : (withoutBulk(error) as Error);
}

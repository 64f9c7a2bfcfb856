/** How long the build of an index takes, guessed: a range, wide enough for a small server under load and a large one at rest. */
import type { Db } from 'mongodb';
import type { BuildTime } from '../../planned.ts';
import { codeOf, codes } from '../connection/errors.ts';

/** A build reads every document, then sorts and writes a key for each. */
const rates = {
  fast: { documents: 500_000, bytes: 500_000_000 },
  slow: { documents: 50_000, bytes: 50_000_000 },
} as const;

/** What the range supposes, for whoever reads it. */
export const buildTimeAssumption =
  'at 50000 to 500000 documents and 50 to 500 MB a second; busy members and memory that does not hold the collection make it longer';

export function toBuildTime(documents: number, bytes: number): BuildTime {
  const at = (rate: (typeof rates)[keyof typeof rates]) => documents / rate.documents + bytes / rate.bytes;
  return { secondsLeast: Math.ceil(at(rates.fast)), secondsMost: Math.ceil(at(rates.slow)) };
}

/** Of the documents as they are in memory; a kilobyte each where the user may not ask. */
export async function bytesOf(database: Db, name: string, documents: number): Promise<number> {
  try {
    const [stats] = await database.collection(name).aggregate([{ $collStats: { storageStats: {} } }]).toArray();
    const size: unknown = stats?.['storageStats']?.size;
    return typeof size === 'number' ? size : documents * 1_024;
  } catch (error) {
    if (codeOf(error) !== codes.unauthorized && codeOf(error) !== codes.namespaceNotFound) throw error;
    return documents * 1_024;
  }
}

export function toDuration(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.ceil(seconds / 60)} min` : `${Math.ceil(seconds / 3_600)} h`;
}

/**
 * What an isolate counts, from its first request on: plain numbers, by names that the declaration, the code or a setting has, so
 * that their number does not grow with requests (SEMANTICS §22).
 */
import type { Seen } from '../request/line.ts';
import { edgeLimits } from '../limits.ts';

/** Answers that are alike in all that is told of them. */
export interface Alike {
  readonly operation: string;
  /** `2xx`. */
  readonly status: string;
  /** Of the edge's own refusals; empty for all other answers. */
  readonly reason: string;
  /** How the cache answered, as in `Cache-Status`: `hit`, `fwd=uri-miss`; empty where it had no part in it. */
  readonly cache: string;
  count: number;
}

/** Upper bounds of the buckets that the times of an origin are counted in; one more is for what is slower. */
export const originSecondsOfBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

export interface OfOrigin {
  readonly buckets: number[];
  seconds: number;
  isOpen: boolean;
}

export class Counts {
  readonly answers = new Map<string, Alike>();
  /** By its address, as the setting has it. */
  readonly origins = new Map<string, OfOrigin>();
  /** Of callers' plans. */
  unitsSpent = 0;

  answered({ operation = 'none', reason }: Seen, { status, headers }: Response): void {
    const cache = outcomeOf(headers.get('cache-status'));
    const ofStatus = `${Math.floor(status / 100)}xx`;
    const key = `${operation} ${ofStatus} ${reason} ${cache}`;
    const known = this.answers.get(key) ?? this.#first(key, { operation, status: ofStatus, reason: reason ?? '', cache });
    known.count++;
  }

  /** The origin's head came so long after it was asked. */
  originAnswered(url: string, ms: number): void {
    const origin = this.of(url);
    const seconds = ms / 1_000;
    const found = originSecondsOfBuckets.findIndex((bound) => seconds <= bound);
    const bucket = found < 0 ? originSecondsOfBuckets.length : found;
    origin.buckets[bucket] = (origin.buckets[bucket] ?? 0) + 1;
    origin.seconds += seconds;
  }

  of(url: string): OfOrigin {
    const known = this.origins.get(url);
    if (known !== undefined) return known;
    const made = { buckets: new Array<number>(originSecondsOfBuckets.length + 1).fill(0), seconds: 0, isOpen: false };
    this.origins.set(url, made);
    return made;
  }

  /** Names come from the code; if there were more of them than ever, they would be counted together. */
  #first(key: string, names: Omit<Alike, 'count'>): Alike {
    const isFull = this.answers.size >= edgeLimits.countedSeriesMax;
    const [at, of] = isFull ? ['other', { operation: 'other', status: '', reason: '', cache: '' }] : [key, names];
    const made = this.answers.get(at) ?? { ...of, count: 0 };
    this.answers.set(at, made);
    return made;
  }
}

/** The first parameter of our line of `Cache-Status` (RFC 9211 §2). */
function outcomeOf(cacheStatus: string | null): string {
  if (cacheStatus === null) return '';
  const begin = 'tombolo; '.length;
  const end = cacheStatus.indexOf(';', begin);
  return end < 0 ? cacheStatus.slice(begin) : cacheStatus.slice(begin, end);
}

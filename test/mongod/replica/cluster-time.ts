// Cluster time as one number: seconds × 2^22 + ordinal. Ordered by <, exact below 2^53.
import { Timestamp } from 'bson';

const ORDINALS = 2 ** 22;

export const toTimestamp = (at: number): Timestamp => new Timestamp({ t: Math.floor(at / ORDINALS), i: at % ORDINALS });

export const fromTimestamp = (value: Timestamp): number => value.t * ORDINALS + Math.min(value.i, ORDINALS - 1);

export const timeAt = (ms: number): number => Math.max(1, Math.floor(ms / 1000)) * ORDINALS;

/**
 * Dates past those of JavaScript, ±8.64e15 ms: BSON has 64 bits for a date, and other programs store the greatest of all for
 * what never ends. JSON shows null; an order has each in its place, by its milliseconds: `+9223372036854775807`.
 */
import { Long } from 'mongodb';
import { Fault } from '../../../../shared/wire/fault.ts';
import { isFarMs } from '../../../../shared/wire/values.ts';
import { dateIn } from './raw-types.ts';

/** No date is before it. */
export const leastMs = '-9223372036854775808';

/** The sort value of a date at a path of the database, in the bytes of its document; `undefined` where none is found. */
export function farMsIn(bytes: Uint8Array, path: string): string | undefined {
  const ms = dateIn(bytes, path);
  return ms === undefined ? undefined : `${ms < 0n ? '' : '+'}${ms}`;
}

/** The sort value of an instant as a document holds it. */
export function toDate(value: string | number): Date {
  return typeof value === 'string' && isFarMs(value) ? new FarDate(value) : new Date(value);
}

/** The driver stores what `getTime` gives. */
class FarDate extends Date {
  readonly #ms: number;

  constructor(text: string) {
    super(Number.NaN);
    this.#ms = Number(text);
    // Past 2^53 few are doubles; those that programs choose are, and the greatest is what the driver makes of 2^63.
    if (Long.fromNumber(this.#ms).toBigInt() === BigInt(text)) return;
    throw new Fault('query_not_served', {
      detail: 'the page ends at a date of a year past 287000 that cannot be asked for; until it is mended, ask in another order',
    });
  }

  override getTime(): number {
    return this.#ms;
  }
}

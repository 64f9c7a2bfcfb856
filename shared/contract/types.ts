/** zod types with a meaning of their own on the wire (SEMANTICS §4). */
import * as z from 'zod';
import { toGridPoint } from '../geo/grid.ts';
import { isCanonicalBase64Url } from '../wire/base64.ts';
import { toDecimalText, toLong } from '../wire/shown-numbers.ts';

/**
 * Exported for resource files: RFC 3339 with any offset. Like every date-time of a resource it is kept and sent as UTC
 * with milliseconds: `2026-01-31T23:59:59.000Z`.
 */
export const instant = () => z.iso.datetime({ offset: true });

/** Exported for resource files: a MongoDB ObjectId as 24 lower-case hex digits. */
export const objectId = () => z.stringFormat('objectid', /^[0-9a-f]{24}$/);

/** A whole number that JSON carries exactly: |n| < 2^53. */
export const integer = () => z.int();

/**
 * Exported for resource files: a Decimal128 as decimal text, `"80.00"`, with the zeros behind that it is written with. It
 * compares as the number that it is: up to 34 digits, no NaN and no infinity.
 */
export const decimal = () => z.stringFormat('decimal', (text) => toDecimalText(text) !== undefined);

/** Exported for resource files: a whole number of 64 bits, in JSON a number up to 2^53 and text past it. */
export const long = () =>
  z.custom<number | string>((value) => toLong(value) !== undefined, {
    error: 'Invalid long: a whole number of 64 bits, past 2^53 as text', params: { format: 'long' },
  });

/** Exported for resource files: a Point of GeoJSON (RFC 7946 §3.1.2), longitude before latitude, an altitude behind if known. */
export const point = () => z.object({
  type: z.literal('Point'),
  coordinates: z.array(z.number()).min(2).max(3).refine((position) => toGridPoint(position) !== undefined, {
    error: 'Invalid position: longitude from -180 to 180, latitude from -90 to 90',
  }).meta({ examples: [[24.94, 60.17]], description: 'Longitude from -180 to 180, latitude from -90 to 90, and an altitude if known.' }),
});

/** Exported for resource files: bytes as base64url without padding (RFC 4648 §5). */
export const binary = () => z.stringFormat('binary', (text) => text === '' || isCanonicalBase64Url(text));

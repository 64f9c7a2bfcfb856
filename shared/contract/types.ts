/** zod types with a meaning of their own on the wire (SEMANTICS §4). */
import * as z from 'zod';

/**
 * Exported for resource files: RFC 3339 with any offset. Like every date-time of a resource it is kept and sent as UTC
 * with milliseconds: `2026-01-31T23:59:59.000Z`.
 */
export const instant = () => z.iso.datetime({ offset: true });

/** Exported for resource files: a MongoDB ObjectId as 24 lower-case hex digits. */
export const objectId = () => z.stringFormat('objectid', /^[0-9a-f]{24}$/);

/** A whole number that JSON carries exactly: |n| < 2^53. */
export const integer = () => z.int();

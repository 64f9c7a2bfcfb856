/** A place of a document that a patch names by JSON Pointer (RFC 6901), and where the patch does so. */
import * as z from 'zod';
import { Fault, type FaultReason } from '../wire/fault.ts';
import { limits } from '../wire/limits.ts';
import { isJsonObject, type Json, ownOf } from '../wire/values.ts';

export interface Spot {
  readonly steps: readonly string[];
  /** The JSON Pointer into the patch, for whoever is told what is wrong there. */
  readonly at: string;
  /** Where in the patch the value stands that is put there. */
  readonly value?: string;
}

const written = /^(?:\/(?:[^~/]|~[01])*)*$/;

export const pointer = z
  .string()
  .regex(written, 'must be a JSON Pointer (RFC 6901), as in /image/width')
  .refine(isShallow, `leads through more than ${limits.nestingLevelsMax} levels`)
  .refine(isNoPrototype, 'names __proto__, which no member may have as its name');

function isShallow(text: string): boolean {
  return stepsOf(text).length <= limits.nestingLevelsMax;
}

function isNoPrototype(text: string): boolean {
  return !stepsOf(text).includes('__proto__');
}

const path = z.string().regex(/^[^/.]+(?:\.[^/.]+)*$/).refine(isShallow).refine(isNoPrototype);
/** A pointer, or a path as filters write it: `image.width`. */
export const place = z.union([pointer.refine((text) => text !== ''), path], {
  error: `must be a path, as in image.width, or a JSON Pointer (RFC 6901), as in /image/width, of at most ${limits.nestingLevelsMax} steps`,
});

/** Of a place as well. */
export function stepsOf(text: string): readonly string[] {
  if (text !== '' && !text.startsWith('/')) return text.split('.');
  return text.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** `forbidden` is said of the path, whatever stands there. */
export function refused(reason: FaultReason, { at }: Pick<Spot, 'at'>, detail: string): Fault {
  return new Fault(reason, { detail: `${at}: ${detail}`, errors: [{ at, in: 'body', detail }] });
}

export function memberOf(holder: Json, step: string): Json | undefined {
  if (Array.isArray(holder)) return (holder as readonly Json[])[toIndex(step, holder.length) ?? -1];
  return isJsonObject(holder) ? ownOf(holder, step) : undefined;
}

/** An index without leading zeros (RFC 6901 §4). */
export function toIndex(step: string, length: number): number | undefined {
  return /^(?:0|[1-9]\d{0,9})$/.test(step) && Number(step) < length ? Number(step) : undefined;
}

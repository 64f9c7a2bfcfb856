/**
 * JSON Patch (RFC 6902): six operations, carried out in order on the document as its caller sees it, all or none. A place that
 * is not there and a `test` that fails are conflicts with the document as it is (409, RFC 5789 §2.2); what would result and is
 * no document is 422.
 */
import * as z from 'zod';
import { patchBody } from '../contract/documents.ts';
import { limits } from '../wire/limits.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import type { Edit } from './edit.ts';
import { pointer, type Spot, stepsOf } from './spot.ts';

export const jsonPatchType = 'application/json-patch+json';

/** JSON has no `undefined`: what is so is not there. */
const value = z.unknown().refine((given) => given !== undefined, 'is missing').meta({ examples: [1950] });

const operation = z.discriminatedUnion('op', [
  z.object({ op: z.enum(['add', 'replace', 'test']), path: pointer, value }),
  z.object({ op: z.literal('remove'), path: pointer }),
  z.object({ op: z.enum(['move', 'copy']), from: pointer, path: pointer }),
]);

export type PatchOperation = z.output<typeof operation>;

/** Members that an operation does not have are passed over (RFC 6902 §4). */
const patch = z.array(operation).max(limits.patchOperationsMax);

/** Its value is the patch under one name: every body is an object to those who hand it on. */
export const jsonPatchBody: z.ZodType<JsonObject> = patchBody(patch, (operations) => ({ operations }));

/** Carries out a body that `jsonPatchBody` took. */
export function applyJsonPatch(edit: Edit, body: JsonObject): void {
  for (const [index, each] of operationsOf(body).entries()) apply(edit, each, String(index));
}

/** Of a body that `jsonPatchBody` took. */
export function operationsOf({ operations }: JsonObject): readonly PatchOperation[] {
  return operations as unknown as readonly PatchOperation[];
}

function apply(edit: Edit, given: PatchOperation, index: string): void {
  const path = { steps: stepsOf(given.path), at: `/${index}/path` };
  const valued = { ...path, value: `/${index}/value` };
  switch (given.op) {
    case 'add':
      return edit.add(valued, given.value as Json);
    case 'replace':
      return edit.replace(valued, given.value as Json);
    case 'test':
      return edit.test(valued, given.value as Json);
    case 'remove':
      return edit.remove(path);
    case 'move':
      return edit.move(fromOf(given.from, index), path);
    case 'copy':
      return edit.copy(fromOf(given.from, index), path);
  }
}

function fromOf(from: string, index: string): Spot {
  return { steps: stepsOf(from), at: `/${index}/from` };
}

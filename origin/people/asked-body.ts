/** Bodies of which better-auth would take more than is offered here. */
import { APIError } from 'better-auth/api';
import type * as z from 'zod';

/** Throws a refusal that names the first member that is wrong, or none of those offered. */
export function mustBeAsked(offered: z.ZodObject, body: unknown): void {
  const [wrong] = offered.safeParse(body).error?.issues ?? [];
  if (wrong === undefined) return;
  const at = wrong.code === 'unrecognized_keys' ? wrong.keys[0] : wrong.path.join('.');
  throw new APIError('BAD_REQUEST', { code: 'VALIDATION_ERROR', message: `[body.${at ?? ''}] ${wrong.message}` });
}

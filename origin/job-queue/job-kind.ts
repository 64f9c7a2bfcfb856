/** What of a job whoever enqueues it goes by. */
import type * as z from 'zod';

export interface JobKind<Payload extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly payload: Payload;
  readonly queue: { readonly name: string };
}

/** What one of several processes tells its supervisor, as JSON over the channel that Bun opens between them. */
import * as z from 'zod';

/** It serves; `metricsPort`: of 127.0.0.1, where it is asked for metrics. */
const serving = z.object({ word: z.literal('serving'), metricsPort: z.number().int().optional() });

/** Each `lookEveryMs`: how much memory it takes, in bytes, and the services that do not do their work. */
const standing = z.object({ word: z.literal('standing'), bytes: z.number(), unready: z.array(z.string()) });

const wordSchema = z.discriminatedUnion('word', [serving, standing]);

export type Word = z.infer<typeof wordSchema>;
export type Standing = z.infer<typeof standing>;

export function toWord(message: unknown): Word | undefined {
  return wordSchema.safeParse(message).data;
}

/** How often a process says how it is. */
export const standingEveryMs = 1_000;

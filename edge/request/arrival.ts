/** A request as it arrives: what every stage, and whoever refuses it, has of it. */
import type { Seen } from './line.ts';

export interface Arrival {
  readonly raw: Request;
  readonly requestId: string;
  /** Work that goes on behind the answer. */
  waitUntil(work: Promise<unknown>): void;
  /** Fields of the answer, whoever gives it in the end; written by `tell` alone, read by `finish`. */
  readonly told: [name: string, value: string][];
  /** What stages find out of it for its line in the log. */
  readonly seen: Seen;
  /** When each stage was entered; in development alone. */
  readonly timings: [stage: string, enteredAt: number][] | undefined;
}

/** Says a field of the answer, whoever gives it: on a refusal by a later stage too, and on none by an earlier one. */
export function tell({ told }: Pick<Arrival, 'told'>, name: string, value: string): void {
  told.push([name, value]);
}

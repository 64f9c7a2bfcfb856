/** An answer in the terms of HTTP: signed for whoever asked over the hop, and handed over as it is inside one process. */
import type { ReadFacts } from '../shared/hop/read-facts.ts';
import type { StatedReads } from '../shared/hop/stated-reads.ts';
import type { Answer } from './call.ts';

export interface Reply {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  readonly body: NonNullable<Answer['body']> | null;
  readonly facts: ReadFacts | undefined;
  readonly stated: StatedReads | undefined;
}

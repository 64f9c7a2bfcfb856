/** A change as the store's feed gives it: one committed write of one document, or a break that touches all. */
import type { Position } from '../wire/position.ts';
import type { JsonObject } from '../wire/values.ts';

export interface DocumentChange {
  readonly kind: 'document';
  readonly position: Position;
  readonly resource: string;
  readonly id: string;
  /** `null`: there was no document. `undefined`: there was one, but its image is not known. */
  readonly before: JsonObject | null | undefined;
  readonly after: JsonObject | null | undefined;
  /** The rough length of both images as text; absent where nobody keeps the change. */
  readonly characters?: number;
}

/** DDL, a drop, a restore, a truncated history: everything of the resource may be different. */
export interface ResourceChange {
  readonly kind: 'resource';
  readonly position: Position;
  readonly resource: string;
}

export type Change = DocumentChange | ResourceChange;

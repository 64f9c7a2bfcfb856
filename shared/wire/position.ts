/**
 * A position: where a change stands in its store. Opaque to clients, ordered inside (SEMANTICS §1).
 * `order` is compared as text, by every engine written at fixed width; positions of different epochs have no
 * order, because an epoch ends when state, history or database was lost or restored.
 */
export interface Position {
  /** A random text of 16 hex digits. */
  readonly epoch: string;
  /** A text of lower-case hex at the engine's fixed width. */
  readonly order: string;
}

export function formatPosition(position: Position): string {
  return `${position.epoch}.${position.order}`;
}

export function parsePosition(text: string): Position | undefined {
  const parts = /^([0-9a-f]{16})\.([0-9a-f]{8,64})$/.exec(text);
  return parts?.[1] === undefined || parts[2] === undefined ? undefined : { epoch: parts[1], order: parts[2] };
}

/** Whether a state read at `position` contains everything up to `wanted`; false across epochs. */
export function reaches(position: Position, wanted: Position): boolean {
  return position.epoch === wanted.epoch && position.order >= wanted.order;
}

/** What the MAC of a signed position begins with (event-id.ts). */
export const positionPurpose = 'tombolo-position';

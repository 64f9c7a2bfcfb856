/**
 * The event log of a resource, where it declares one (SEMANTICS §21): each change of a document stands in it as an event that
 * nobody changes, written in the transaction of the change. Whoever the rule `history` lets in reads it, image by image.
 */
export interface HistoryDeclaration {
  /** Days after which the origin takes an event out of the log. */
  readonly keptDays: number;
}

/** Exported for resource files: `history: { keptDays: 90 }`. */
export interface KeepsHistory {
  readonly history?: HistoryDeclaration;
}

export interface Logged {
  /** `undefined`: no change is logged. */
  readonly history: HistoryDeclaration | undefined;
}

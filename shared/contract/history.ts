/**
 * The event log of a resource, where it declares one (SEMANTICS §21): each change of a document stands in it as an event that
 * nobody changes, written in the transaction of the change. Whoever the rule `history` lets in reads it, image by image.
 */
import { type Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { keptDaysMax } from './removal.ts';

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

export function toHistory({ history: declared }: KeepsHistory, mistakes: Mistakes): Logged {
  if (declared === undefined) return { history: undefined };
  const { keptDays, ...unknown } = toObject<Partial<HistoryDeclaration>>(declared, (detail) => mistakes.add('history', detail));
  refuseUnknown(unknown, ['keptDays'], mistakes.at('history.'));
  const isWhole = keptDays !== undefined && Number.isSafeInteger(keptDays);
  if (isWhole && keptDays >= 1 && keptDays <= keptDaysMax) return { history: { keptDays } };
  mistakes.add('history.keptDays', `must be a whole number of days from 1 to ${keptDaysMax}`);
  return { history: undefined };
}

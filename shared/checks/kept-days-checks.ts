/** What is wrong with how long a resource keeps what was removed, and the log of its changes. */
import type { HistoryDeclaration } from '../contract/history.ts';
import type { RemovalDeclaration } from '../contract/removal.ts';
import { isFieldName } from '../contract/system-fields.ts';
import { type Mistakes, refuseUnknown, toObject } from './mistakes.ts';

/** A thousand years: what is kept for longer is kept for good. */
const keptDaysMax = 365_000;

/** Gives what can be read of it. */
export function checkRemoval(declared: RemovalDeclaration | undefined, mistakes: Mistakes): RemovalDeclaration | undefined {
  if (declared === undefined) return undefined;
  const { at, keptDays, ...unknown } = toObject<Partial<RemovalDeclaration>>(declared, (detail) => mistakes.add('removal', detail));
  refuseUnknown(unknown, ['at', 'keptDays'], mistakes.at('removal.'));
  if (typeof at !== 'string' || !isFieldName(at)) {
    mistakes.add('removal.at', 'must be the name of a field, in which Tombolo notes since when a document is removed');
    return undefined;
  }
  if (keptDays !== undefined) checkDays('removal', keptDays, mistakes);
  return { at };
}

export function checkHistory(declared: HistoryDeclaration | undefined, mistakes: Mistakes): void {
  if (declared === undefined) return;
  const { keptDays, ...unknown } = toObject<Partial<HistoryDeclaration>>(declared, (detail) => mistakes.add('history', detail));
  refuseUnknown(unknown, ['keptDays'], mistakes.at('history.'));
  checkDays('history', keptDays, mistakes);
}

function checkDays(key: 'removal' | 'history', days: unknown, mistakes: Mistakes): void {
  const isInBounds = Number.isSafeInteger(days) && Number(days) >= 1 && Number(days) <= keptDaysMax;
  if (!isInBounds) mistakes.add(`${key}.keptDays`, `must be a whole number of days from 1 to ${keptDaysMax}`);
}

/** What texts of one field are: UUIDs, one of a few values, dates that others keep as text, or any. */
import * as z from 'zod';
import type { What } from './description.ts';
import { shown } from './shown.ts';

const enumLimits = {
  /** Fewer texts say nothing of what else there may be. */
  textsMin: 30,
  valuesMax: 12,
  /** A value that was seen less often is more likely one of many. */
  timesMin: 3,
  /** How many texts there must be for each value. */
  timesMeanMin: 10,
  charactersMax: 40,
} as const;

export interface FoundText {
  readonly what: What;
  readonly notes: readonly string[];
}

export function describeTexts(texts: readonly string[]): FoundText {
  if (texts.every((text) => z.uuid().safeParse(text).success && isLower(text))) return { what: { kind: 'uuid' }, notes: [] };
  if (texts.every((text) => z.guid().safeParse(text).success)) {
    // A UUID is asked for in lower case (SEMANTICS §4): others would not be found.
    return texts.every(isLower) ? { what: { kind: 'guid' }, notes: [] } : asText('UUIDs, not all in lower case: z.uuid() would miss them');
  }
  if (texts.every((text) => date.test(text))) return asText('dates as text: instant() would store new ones as dates');
  const values = countsOf(texts);
  const [only] = values.keys();
  if (values.size === 1 && texts.length >= enumLimits.textsMin) return asText(`always ${shown(only ?? '')}`);
  return isEnum(values, texts.length) ? { what: { kind: 'enum', values: [...values.keys()].sort() }, notes: [] } : asText();
}

const date = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?)?$/;

function isLower(text: string): boolean {
  return text === text.toLowerCase();
}

function asText(...notes: readonly string[]): FoundText {
  return { what: { kind: 'string' }, notes };
}

function isEnum(values: ReadonlyMap<string, number>, seen: number): boolean {
  if (seen < enumLimits.textsMin || values.size > Math.min(enumLimits.valuesMax, seen / enumLimits.timesMeanMin)) return false;
  return [...values].every(([text, times]) => times >= enumLimits.timesMin && text.length <= enumLimits.charactersMax);
}

export function countsOf(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

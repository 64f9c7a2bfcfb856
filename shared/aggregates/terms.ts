/**
 * What groups are made by: the values of a field, the days, weeks or months of an instant in a time zone, or steps of
 * numbers. A term is its text, in declarations, in queries and in answers: `year`, `day(createdAt)`, `bucket(rating,10)`.
 */
import { parseWritten } from '../wire/shown-numbers.ts';

export type Grain = 'day' | 'week' | 'month';

export interface Term {
  readonly text: string;
  readonly field: string;
  /** `undefined`: each value is a group. */
  readonly by: Grain | { readonly width: string } | undefined;
}

const path = '([A-Za-z][A-Za-z0-9_.]*)';
const forms = new RegExp(`^(?:${path}|(day|week|month)\\(${path}\\)|bucket\\(${path},([0-9.]{1,20})\\))$`);

/** `undefined` for what is no term. */
export function parseTerm(text: string): Term | undefined {
  const [, value, grain, instant, number, width] = forms.exec(text) ?? [];
  if (value !== undefined) return { text, field: value, by: undefined };
  if (isGrain(grain) && instant !== undefined) return { text, field: instant, by: grain };
  const isWidth = width !== undefined && /[1-9]/.test(width) && parseWritten(width) !== undefined;
  return number === undefined || !isWidth ? undefined : { text, field: number, by: { width } };
}

function isGrain(text: string | undefined): text is Grain {
  return text === 'day' || text === 'week' || text === 'month';
}

/** Terms with commas between, of which those within brackets part nothing. */
export function splitTerms(text: string): readonly string[] {
  return text.split(/,(?![^(]*\))/);
}

/** Parameters whose values name fields. */
export const measuringParameters: ReadonlySet<string> = new Set(['group', 'sum', 'avg', 'min', 'max', 'distinct']);

/** The fields that such a value names. */
export function fieldsNamedIn(text: string): readonly string[] {
  return splitTerms(text).map((each) => parseTerm(each)?.field ?? each);
}

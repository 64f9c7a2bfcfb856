/** What a list asks by text: the words of `q`, and values without their case and accents where the shape folds (SEMANTICS §7). */
import { fold } from '../text/fold.ts';
import { askedWords } from '../text/words.ts';
import { limits } from '../wire/limits.ts';
import type { Scalar } from '../wire/values.ts';
import type { Filter, Range } from './filter.ts';
import type { QueryReader } from './query-reader.ts';
import type { Shape } from './shapes.ts';

/** `undefined`: there is no `q`. */
export function readWords(reader: QueryReader): readonly string[] | undefined {
  if (!reader.names.has('q')) return undefined;
  const text = reader.one('q');
  if (text.length > limits.textQueryCharactersMax) {
    reader.refuse('q', `${text.length} characters; ${limits.textQueryCharactersMax} at most`);
    return [];
  }
  const words = askedWords(text);
  if (words.length === 0) reader.refuse('q', 'holds no word: letters or digits');
  if (words.length > limits.textQueryWordsMax) reader.refuse('q', `${words.length} words; ${limits.textQueryWordsMax} at most`);
  return words;
}

interface Asked {
  readonly equal: Filter['equal'];
  readonly range: Range | undefined;
}

export function asFolded({ folded }: Shape, { equal, range }: Asked): Asked {
  if (folded.length === 0) return { equal, range };
  const values = ([field, asked]: readonly [string, readonly Scalar[]]) =>
    [field, folded.includes(field) ? [...new Set(asked.map(foldedValue))].sort() : asked] as const;
  return {
    equal: Object.fromEntries(Object.entries(equal).map(values)),
    range: range === undefined || !folded.includes(range.field) ? range : { ...range, bounds: mapBounds(range.bounds) },
  };
}

function mapBounds(bounds: Range['bounds']): Range['bounds'] {
  return Object.fromEntries(Object.entries(bounds).map(([operator, bound]) => [operator, foldedValue(bound)]));
}

function foldedValue(value: Scalar): Scalar {
  return typeof value === 'string' ? fold(value) : value;
}

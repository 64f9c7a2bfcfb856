/** A member added to the text of a document, in which everything else stands as it stood, its spaces too. */
import { marks, spaceEnd, stringEnd, textOf, valueEnd } from '../../../../shared/wire/json-text.ts';

export interface Added {
  readonly text: string;
  /** Where the addition begins, and its length: cut out, the text is what it was. In UTF-16 code units. */
  readonly at: number;
  readonly length: number;
}

/** `undefined`: the member is there, or there is no object to hold it. */
export function addedMember(text: string, path: readonly string[], value: string): Added | undefined {
  const place = placeIn(text, path, 0);
  if (place === undefined) return undefined;
  const addition = `${place.isFirst ? '' : ','}${JSON.stringify(path.at(-1))}:${value}`;
  return { text: text.slice(0, place.at) + addition + text.slice(place.at), at: place.at, length: addition.length };
}

export function withoutAdded(text: string, { at, length }: Omit<Added, 'text'>): string {
  return text.slice(0, at) + text.slice(at + length);
}

/** Behind the last member of the object that is to hold the path's last name. */
function placeIn(text: string, [name, ...rest]: readonly string[], from: number): { at: number; isFirst: boolean } | undefined {
  const begin = spaceEnd(text, from);
  if (text.charCodeAt(begin) !== marks.object) return undefined;
  let end = begin + 1;
  let found: number | undefined;
  for (let at = spaceEnd(text, end); text.charCodeAt(at) === marks.quote; at = spaceEnd(text, spaceEnd(text, end) + 1)) {
    const nameEnd = stringEnd(text, at);
    const value = spaceEnd(text, spaceEnd(text, nameEnd) + 1);
    if (textOf(text.slice(at, nameEnd)) === name) found = value;
    end = valueEnd(text, value);
  }
  if (rest.length > 0) return found === undefined ? undefined : placeIn(text, rest, found);
  return found === undefined ? { at: end, isFirst: end === begin + 1 } : undefined;
}

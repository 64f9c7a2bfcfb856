/** A member added to the text of a document, or cut out of it: everything else stands as it stood, its spaces too. */
import { marks, spaceEnd, stringEnd, textOf, valueEnd } from '../../../../shared/wire/json-text.ts';

/** `undefined`: the member is there, or there is no object to hold it. */
export function withMember(text: string, path: readonly string[], value: string): string | undefined {
  const place = placeIn(text, path);
  if (place === undefined || place.member !== undefined) return undefined;
  const addition = `${place.isFirst ? '' : ','}${JSON.stringify(path.at(-1))}:${value}`;
  return text.slice(0, place.end) + addition + text.slice(place.end);
}

export interface Cut {
  /** As it stood there. */
  readonly value: string;
  readonly without: string;
}

/** Cuts a member out with one comma; `undefined`: it is not there. */
export function cutMember(text: string, path: readonly string[]): Cut | undefined {
  const member = placeIn(text, path)?.member;
  if (member === undefined) return undefined;
  const { from, to, value } = member;
  return { value: text.slice(value, member.valueEnd), without: text.slice(0, from) + text.slice(to) };
}

interface Member {
  readonly value: number;
  readonly valueEnd: number;
  /** With the comma before it, else with the one behind it. */
  readonly from: number;
  readonly to: number;
}

interface Place {
  /** Behind the last member of the object. */
  readonly end: number;
  readonly isFirst: boolean;
  readonly member: Member | undefined;
}

/** In the object that is to hold the path's last name; `undefined`: there is none. */
function placeIn(text: string, [name, ...rest]: readonly string[], at = 0): Place | undefined {
  const begin = spaceEnd(text, at);
  if (text.charCodeAt(begin) !== marks.object) return undefined;
  let end = begin + 1;
  let member: Member | undefined;
  for (let quote = spaceEnd(text, end); text.charCodeAt(quote) === marks.quote; ) {
    const isFirst = end === begin + 1;
    const nameEnd = stringEnd(text, quote);
    const value = spaceEnd(text, spaceEnd(text, nameEnd) + 1);
    const [before, comma] = [end, spaceEnd(text, valueEnd(text, value))];
    end = valueEnd(text, value);
    const next = text.charCodeAt(comma) === marks.comma ? spaceEnd(text, comma + 1) : comma;
    if (textOf(text.slice(quote, nameEnd)) === name) {
      const isAlone = isFirst && text.charCodeAt(comma) !== marks.comma;
      member = { value, valueEnd: end, from: isFirst ? quote : before, to: isFirst && !isAlone ? next : end };
    }
    quote = next;
  }
  if (rest.length > 0) return member === undefined ? undefined : placeIn(text, rest, member.value);
  return { end, isFirst: end === begin + 1, member };
}

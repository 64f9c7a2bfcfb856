/** Where parts of JSON text end, found without making values of them. The text is JSON (RFC 8259): a store has checked it. */
export const marks = {
  quote: 0x22, comma: 0x2c, array: 0x5b, backslash: 0x5c, arrayEnd: 0x5d, object: 0x7b, objectEnd: 0x7d,
} as const;

/** Behind the string that begins at `at`. */
export function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let before = end - 1;
    while (text.charCodeAt(before) === marks.backslash) before--;
    if ((end - before) % 2 === 1) return end + 1;
  }
  throw new Error('a string in the text of a document has no end');
}

/** Behind the value that begins at `at`. */
export function valueEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === marks.quote) return stringEnd(text, at);
  return first === marks.object || first === marks.array ? nestedEnd(text, at) : plainEnd(text, at);
}

/** Behind space. */
export function spaceEnd(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) <= 0x20) end++;
  return end;
}

function nestedEnd(text: string, begin: number): number {
  let depth = 0;
  for (let at = begin; at < text.length; ) {
    const mark = text.charCodeAt(at);
    if (mark === marks.quote) {
      at = stringEnd(text, at);
      continue;
    }
    at++;
    if (mark === marks.object || mark === marks.array) depth++;
    else if ((mark === marks.objectEnd || mark === marks.arrayEnd) && --depth === 0) return at;
  }
  throw new Error('an object or array in the text of a document has no end');
}

/** A number, true, false or null. */
function plainEnd(text: string, begin: number): number {
  let at = begin + 1;
  for (; at < text.length; at++) {
    const mark = text.charCodeAt(at);
    if (mark === marks.comma || mark === marks.objectEnd || mark === marks.arrayEnd || mark <= 0x20) break;
  }
  return at;
}

/** The members of an object's text, in their order. */
export function memberTexts(text: string): readonly { readonly name: string; readonly quoted: string; readonly text: string }[] {
  const members: { name: string; quoted: string; text: string }[] = [];
  let at = spaceEnd(text, spaceEnd(text, 0) + 1);
  while (text.charCodeAt(at) === marks.quote) {
    const nameEnd = stringEnd(text, at);
    const quoted = text.slice(at, nameEnd);
    const begin = spaceEnd(text, spaceEnd(text, nameEnd) + 1);
    const end = valueEnd(text, begin);
    members.push({ name: textOf(quoted), quoted, text: text.slice(begin, end) });
    at = spaceEnd(text, spaceEnd(text, end) + 1);
  }
  return members;
}

/** What stands between quotes, most often without an escape. */
export function textOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

/** The elements of an array's text. */
export function elementTexts(text: string): readonly string[] {
  const elements: string[] = [];
  let at = spaceEnd(text, spaceEnd(text, 0) + 1);
  while (at < text.length && text.charCodeAt(at) !== marks.arrayEnd) {
    const end = valueEnd(text, at);
    elements.push(text.slice(at, end));
    at = spaceEnd(text, spaceEnd(text, end) + 1);
  }
  return elements;
}

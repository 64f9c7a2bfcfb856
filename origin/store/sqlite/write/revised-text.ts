/**
 * The text of a changed document in which what did not change stands as it stood: its order, numbers past a double, and
 * how others wrote it (SEMANTICS §16, §17).
 */
import { matchElements } from '../../../../shared/contract/elements.ts';
import { placeOf } from '../../../../shared/contract/schema-places.ts';
import { isSameJson } from '../../../../shared/contract/settled.ts';
import type { Type } from '../../../../shared/contract/schema-tree.ts';
import { elementTexts, memberTexts } from '../../../../shared/wire/json-text.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../../../shared/wire/values.ts';

interface Before {
  /** Of the value alone. */
  readonly text: string;
  readonly value: Json;
}

export function revisedText(type: Type | undefined, { text, value }: Before, next: Json): string {
  if (isSameJson(value, next)) return text;
  const place = placeOf(type, next);
  if (isJsonObject(value) && isJsonObject(next)) return revisedObject(place, { text, value }, next);
  if (!Array.isArray(value) || !Array.isArray(next)) return JSON.stringify(next);
  const texts = elementTexts(text);
  const matches = matchElements(place.element, next, value);
  const elements = next.map((each: Json, index) => {
    const at = matches[index] ?? -1;
    const stood = texts[at];
    if (stood === undefined) return JSON.stringify(each);
    return revisedText(place.element(index), { text: stood, value: value[at] ?? null }, each);
  });
  return `[${elements.join(',')}]`;
}

function revisedObject(
  place: ReturnType<typeof placeOf>,
  { text, value }: { readonly text: string; readonly value: JsonObject },
  next: JsonObject,
): string {
  const stood = memberTexts(text).flatMap(({ name, quoted, text: member }) => {
    const to = ownOf(next, name);
    return to === undefined ? [] : [`${quoted}:${revisedText(place.member(name), { text: member, value: value[name] ?? null }, to)}`];
  });
  const added = Object.entries(next).filter(([name]) => !Object.hasOwn(value, name));
  return `{${[...stood, ...added.map(([name, each]) => `${JSON.stringify(name)}:${JSON.stringify(each)}`)].join(',')}}`;
}

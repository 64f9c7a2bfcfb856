/** Texts of documents between the names in the table and those of the wire (shared/contract/stored-names.ts); most have the same. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { StoredNames } from '../../../../shared/contract/stored-names.ts';
import { elementTexts, marks, memberTexts, spaceEnd } from '../../../../shared/wire/json-text.ts';

type Named = Pick<Resource, 'names'>;

export function toWireText({ names }: Named, doc: string): string {
  return renamed(doc, names, 'toWire');
}

export function toStoredText({ names }: Named, text: string): string {
  return renamed(text, names, 'toStored');
}

/** Values stay as they are written. */
function renamed(text: string, names: StoredNames | undefined, to: 'toWire' | 'toStored'): string {
  if (names === undefined) return text;
  const mark = text.charCodeAt(spaceEnd(text, 0));
  if (mark === marks.array) return `[${elementTexts(text).map((each) => renamed(each, names, to)).join(',')}]`;
  if (mark !== marks.object) return text;
  const members = memberTexts(text).map(({ name, quoted, text: value }) => {
    const other = names[to](name);
    const below = names.below(to === 'toWire' ? other : name);
    return `${other === name ? quoted : JSON.stringify(other)}:${renamed(value, below, to)}`;
  });
  return `{${members.join(',')}}`;
}

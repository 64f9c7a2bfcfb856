/** What the description of the API says of related documents: how they are asked for, where they stand, and what ties them. */
import type { OnDelete } from '../contract/references.ts';
import type { Resource } from '../contract/resource.ts';
import { limits } from '../wire/limits.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import { type QueryParameter, schemaName, schemaRef } from './described.ts';

/** None where the resource declares no relation. Relations are called the same in every version. */
export function expandOf({ related }: Resource): readonly QueryParameter[] {
  if (related.size === 0) return [];
  const paths = [...related].flatMap(([name, { target }]) => [name, ...[...target.related.keys()].map((below) => `${name}.${below}`)]);
  return [{
    name: 'expand', several: true, example: paths.slice(0, 1),
    description:
      'Related documents to show in each document, as the caller may see them; what they may not see is as what is not there: `null`, ' +
      `or not in the list. At most ${limits.expandedDocumentsMax} of them may come of a page, by its \`limit\` and those of the relations.`,
    schema: { type: 'array', items: { enum: paths }, minItems: 1 },
  }];
}

/** The component that says how a document is answered where it may be asked for with others in it. */
export function shownPartOf(resource: Resource): string {
  return schemaName(resource, resource.related.size === 0 ? 'part' : 'expanded');
}

/** `properties` of a document, with what `expand` puts beside them or in their place. */
export function withRelated({ related }: Resource, properties: JsonObject): JsonObject {
  const members = [...related.values()].map(({ name, target, isList, limit }): [string, Json] => {
    const shown = schemaRef(shownPartOf(target));
    if (isList) return [name, { type: 'array', items: shown, maxItems: limit, description: `With \`expand=${name}\`: of ${target.name}.` }];
    const unexpanded = properties[name] === undefined ? [] : [properties[name]];
    return [name, { anyOf: [...unexpanded, shown, { type: 'null' }], description: `With \`expand=${name}\`: of ${target.name}.` }];
  });
  return { ...properties, ...Object.fromEntries(members) };
}

/** Of a member of a body that must name documents that are there. */
export function namedInWords({ related }: Resource, member: string): string | undefined {
  const followed = [...related.values()].filter(({ exists, field }) => exists && field.split('.', 1)[0] === member);
  const targets = followed.map(({ target }) => target.name);
  if (targets.length === 0) return undefined;
  return `What it names of ${[...new Set(targets)].join(' and ')} must be there and seen by the caller (422).`;
}

const onDeleteWords: Readonly<Record<OnDelete, (of: string) => string>> = {
  restrict: (of) => `While a document of ${of} names it, it is not removed (409).`,
  cascade: (of) => `Documents of ${of} that name it are removed with it.`,
  unset: (of) => `Its id is taken out of documents of ${of} that name it.`,
};

/** Of removals: what becomes of those that name the document. */
export function heedsOf({ namedBy }: Resource): { readonly words: string; readonly extensions: JsonObject } {
  const words = new Set(namedBy.map(({ holder, onDelete }) => onDeleteWords[onDelete](holder.name)));
  const most = `At most ${limits.causedChangesMax} other documents are changed or removed by one request (409).`;
  return { words: [...words, ...(namedBy.some(({ onDelete }) => onDelete !== 'restrict') ? [most] : [])].join(' '), extensions: {} };
}

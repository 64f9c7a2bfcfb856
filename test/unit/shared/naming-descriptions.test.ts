/** What the description of the API says of documents that name others: what a body must name, and what a removal does. */
import { expect, test } from 'bun:test';
import { toDescription } from '../../../shared/openapi/document.ts';
import { offered } from '../../../shared/resources/plans.ts';
import { limits } from '../../../shared/wire/limits.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { naming } from '../../support/naming-contract.ts';

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly description: string }>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, { readonly properties: Readonly<Record<string, JsonObject>> }>> };
}

const { paths, components: { schemas } } = JSON.parse(
  JSON.stringify(toDescription({ contract: naming, plans: offered, paths: {} }, naming.versions.current)),
) as Description;

test('bodies say which members name documents that must be there', () => {
  const membersOf = (name: string) => Object.entries(schemas[name]?.properties ?? {});
  const wordsOf = (name: string) => membersOf(name).map(([member, { description }]) => [member, description]);
  const people = 'What it names of people must be there and seen by the caller (422).';
  expect(wordsOf('films.create')).toEqual(expect.arrayContaining([
    ['title', undefined], ['lead', people], ['cast', people], ['crew', people],
    ['sequel', 'What it names of films must be there and seen by the caller (422).'],
  ]));
  expect(wordsOf('films.patch')).toContainEqual(['lead', people]);
});

test('removals say what becomes of those that name the document', () => {
  const most = `At most ${limits.causedChangesMax} other documents are changed or removed by one request (409).`;
  const wordsOf = (path: string) => paths[path]?.['delete']?.description.split('\n\n')[1];
  expect([wordsOf('/v1/films/{id}'), wordsOf('/v1/films'), wordsOf('/v1/people/{id}'), wordsOf('/v1/tickets/{id}')]).toEqual([
    ...Array(2).fill('Its id is taken out of documents of films that name it. Documents of reviews that name it are removed with it. ' +
      `While a document of tickets names it, it is not removed (409). ${most}`),
    `Its id is taken out of documents of films that name it. While a document of films names it, it is not removed (409). ${most}`,
    undefined,
  ]);
});

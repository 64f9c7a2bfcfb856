/** What an older version asks beside an index, and of values in place of documents, in its own names and values (SEMANTICS §19). */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { listParametersOf } from '../../../shared/openapi/list-parameters.ts';
import { converted, moved } from '../../../shared/versions/changes.ts';
import { translationOf } from '../../../shared/versions/dialect.ts';
import { versions } from '../../../shared/versions/versions.ts';
import { Fault } from '../../../shared/wire/fault.ts';

const two = versions({ name: 'v1' }, { name: 'v2' });
const cm = { schema: z.number(), up: (value: unknown) => Number(value) * 10, down: (value: unknown) => Number(value) / 10, ordered: true };
const things = resource({
  name: 'things', rules: { read: anyone },
  schema: z.object({ image: z.object({ url: z.string().optional() }).optional(), mm: z.number().optional(), tags: z.array(z.string()) }),
  shapes: { all: { sort: ['image.url', 'mm'], beside: ['image.url', 'mm', 'tags'] } },
  versions: { v1: [moved({ thumbnail: 'image.url' }), converted('mm', cm)] },
});
const served = contract(two, things);
const [v1] = two.all;

function translation() {
  const made = v1 === undefined ? undefined : translationOf(served.versions, things, v1);
  if (made === undefined) throw new Error(`nothing is translated: ${contractMistakes(served).join()}`);
  return made;
}

function refused(query: string): readonly string[] {
  try {
    translation().upQuery(query);
    return [];
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    return thrown.errors.map(({ at }) => at);
  }
}

test('conditions have the names and the values of the version', () => {
  const parsed = parseListQuery(things, translation().upQuery('?thumbnail[exists]=false&mm[nin]=1,2&mm[exists]=true&tags[contains]=a,b'));
  expect(parsed.residual).toEqual([
    { field: 'image.url', operator: 'exists', value: false },
    { field: 'mm', operator: 'exists', value: true },
    { field: 'mm', operator: 'nin', values: [10, 20] },
    { field: 'tags', operator: 'contains', values: ['a', 'b'] },
  ]);
  expect(refused('?image.url[ne]=a')).toEqual(['image.url']);
  expect(translation().downQuery('?image.url[ne]=a&mm[exists]=true&page=last')).toBe(
    `?${encodeURIComponent('thumbnail[ne]')}=a&${encodeURIComponent('mm[exists]')}=true&page=last`,
  );
});

test('distinct takes a place that has the same values now, by the name of the version', () => {
  expect(parseListQuery(things, translation().upQuery('?distinct=thumbnail'))).toMatchObject({ distinct: 'image.url' });
  expect(translation().downQuery('?distinct=image.url&after=a')).toBe('?distinct=thumbnail&after=a');
  for (const place of ['mm', 'image.url']) expect([place, refused(`?distinct=${place}`)]).toEqual([place, ['distinct']]);
});

test('the description names what can be asked so', () => {
  const parameters = new Map(listParametersOf(things, translation()).map(({ name, schema }) => [name, schema]));
  expect(parameters.get('distinct')).toEqual({ enum: ['thumbnail'] });
  expect(parameters.get('mm[exists]')).toEqual({ type: 'boolean' });
  expect([...parameters.keys()]).toContain('thumbnail[nin]');
  expect([...parameters.keys()]).not.toContain('image.url[nin]');
});

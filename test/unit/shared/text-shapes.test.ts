/** Shapes by text and by folded values: what is declared, and what is asked of them (SEMANTICS §7). */
import { describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contractMistakes } from '../../../shared/checks/contract-mistakes.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { formatQuery, parseListQuery } from '../../../shared/contract/query.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone, equals, type Rule } from '../../../shared/contract/rules.ts';
import type { ShapeDeclaration } from '../../../shared/contract/shapes.ts';
import { entryOf, entryIndexesOf, isFoundAlike } from '../../../shared/contract/entry-index.ts';
import { modules } from '../../../shared/modules.ts';
import { limits } from '../../../shared/wire/limits.ts';
import { faultOf } from '../../support/fault-of.ts';
import { textNotes } from '../../support/text-notes.ts';

const schema = z.object({
  title: z.string(), tags: z.array(z.string()), year: z.int(), state: z.enum(['draft', 'done']),
  body: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('text'), text: z.string() }), z.object({ kind: z.literal('link'), url: z.string() }),
  ]).optional(),
});

function withShape(shape: ShapeDeclaration, read: Rule = equals('state', 'done')): Resource {
  return resource({ name: 'papers', schema, rules: { read }, shapes: { all: {}, found: shape } });
}

describe('a declaration', () => {
  test.each<[string, ShapeDeclaration]>([
    ['shapes.found.text: names no field', { text: [] }],
    ['shapes.found.text: the schema has no field "subtitle"', { text: ['subtitle'] }],
    ['shapes.found.text: "year" (integer) is no text', { text: ['year'] }],
    ['shapes.found.text: must be a list of texts', { text: 'title' as never }],
    ['shapes.found.equal: "tags" (array): words are many themselves', { text: ['title'], equal: ['tags'] }],
    ['shapes.found.folded: "year" (integer) is no text', { equal: ['year'], folded: ['year'] }],
    ['shapes.found.folded: "title" is none of its equal and prefix', { equal: ['year'], folded: ['title'] }],
    ['shapes.found.folded: "title" is none of its equal and prefix', { range: 'title', folded: ['title'] }],
    ['rules.read: "state" is folded by the shape "found"', { equal: ['state'], folded: ['state'] }],
  ])('is refused: %s', (mistake, shape) => {
    expect(resourceMistakes(withShape(shape)).some((line) => line.includes(mistake))).toBe(true);
  });

  test('needs no index over the documents but the order of ids, and has entries in the contract', () => {
    const papers = withShape({ text: ['title'], equal: ['year'], sort: ['-title'] });
    expect(resourceMistakes(papers)).toEqual([]);
    expect(papers.indexes.map(({ name }) => name).sort()).toEqual(['id', 'state+id']);
    const [index] = entryIndexesOf(papers);
    expect(index?.entries.indexes.map(({ equal, has, sort }) => [equal, has, sort.map(({ field }) => field)])).toEqual([
      [['state', 'year'], 'words', ['title', 'id']], [[], undefined, ['id']],
    ]);
    const stored = contract(papers).stored.filter((each) => !modules.resources.includes(each));
    expect(stored.map(({ name }) => name)).toEqual(['papers', index?.entries.name ?? '', 'tombolo_entries']);
    expect(contractMistakes(contract(papers))).toEqual([]);
  });

  test('names its entries by all that they are made of', () => {
    const nameOf = (shape: ShapeDeclaration, read?: Rule) => entryIndexesOf(withShape(shape, read))[0]?.entries.name;
    const first = nameOf({ text: ['title'] });
    expect(nameOf({ text: ['title'] })).toBe(first);
    const others = [nameOf({ text: ['title', 'tags'] }), nameOf({ text: ['title'], sort: ['year'] }), nameOf({ text: ['title'] }, anyone)];
    expect(new Set([first, ...others]).size).toBe(4);
  });

  test('of a branch of a union finds nothing in documents of the others', () => {
    const [index] = entryIndexesOf(withShape({ text: ['body.text'] }, anyone));
    const entry = (body: object) => index && entryOf(index, { id: 'a', title: 'x', body: body as never });
    expect(entry({ kind: 'text', text: 'seen' })).toEqual({ words: ['see'] });
    expect(entry({ kind: 'link', url: 'seen', text: 'undeclared' })).toBeUndefined();
  });

  test('is found alike while nothing changes of words, of what is asked beside them, of branches and of the rule', () => {
    const before = { id: 'a', title: 'x', state: 'done', body: { kind: 'text', text: 'seen' }, tags: ['a'] };
    const isAlike = (after: object, shape: ShapeDeclaration = { text: ['body.text'], equal: ['year'] }) =>
      entryIndexesOf(withShape(shape)).map((index) => isFoundAlike(index, before, { ...before, ...after }));
    for (const after of [{}, { title: 'y' }, { tags: ['b'] }, { undeclared: 1 }]) expect(isAlike(after)).toEqual([true]);
    const [said, told] = [{ kind: 'text', text: 'other' }, { kind: 'link', text: 'seen' }];
    for (const after of [{ body: said }, { body: told }, { year: 1949 }, { state: 'new' }]) expect(isAlike(after)).toEqual([false]);
    expect(isAlike({ title: 'y' }, { text: ['tags'], sort: ['title'] })).toEqual([false]);
  });

  test('has no entry for a document whose values are of other types than declared', () => {
    const [index] = entryIndexesOf(withShape({ text: ['title'], equal: ['year'] }));
    const entry = (year: unknown) => index && entryOf(index, { id: 'a', title: 'one', state: 'done', year: year as never });
    expect(entry(1949)).toEqual({ state: 'done', year: 1949, words: ['one'] });
    expect(entry(null)).toEqual({ state: 'done', words: ['one'] });
    expect(entry('1949')).toBeUndefined();
  });
});

describe('a query', () => {
  const parse = (query: string) => parseListQuery(textNotes, `?${query}`);
  test('is the same whatever the order, case, accents and signs of what it asks for', () => {
    expect(formatQuery(parse('q=Third "MÁN"'))).toBe(formatQuery(parse('q=man,third')));
    expect(formatQuery(parse('title=The+THIRD'))).toBe(formatQuery(parse('title=the+th%C3%ADrd')));
    expect(formatQuery(parse('q=man'))).not.toBe(formatQuery(parse('q=men')));
  });

  test.each([
    ['q=', 'holds no word: letters or digits'], ['q=*%20"', 'holds no word: letters or digits'],
    [`q=${'x'.repeat(limits.textQueryCharactersMax + 1)}`, '257 characters; 256 at most'],
    [`q=${Array.from({ length: 17 }, (_, index) => `w${index}`).join('+')}`, '17 words; 16 at most'],
  ])('%s is refused', (query, detail) => {
    expect(faultOf(() => parse(query))).toMatchObject({ reason: 'query_invalid', errors: [{ at: 'q', detail }] });
  });

  test('by text is served by shapes with text alone, and the others without', () => {
    expect(parse('q=man&about.lang=en').shape.name).toBe('searchIn');
    expect(faultOf(() => parse('q=man&title=x')).reason).toBe('query_not_served');
    expect(faultOf(() => parse('about.lang=en')).detail).toContain('search (q=…&sort=-year,title|title)');
  });
});

/** A resource that is searched, what a search of it finds by the slow reading of SEMANTICS §7, and texts of several scripts. */
import * as z from 'zod';
import { parseListQuery } from '../../shared/contract/query.ts';
import { resource } from '../../shared/contract/resource.ts';
import { any, anyone, equals, owner, reduce, role } from '../../shared/contract/rules.ts';
import { fold } from '../../shared/text/fold.ts';
import { askedWords, hasAll, wordsIn } from '../../shared/text/words.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { naiveList } from '../unit/shared/naive-list.ts';
import { naiveValues } from './naive-path.ts';
import type { Random } from './random.ts';

export const textNotes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({
    title: z.string(), tags: z.array(z.string()), year: z.int(), by: z.string(), open: z.boolean(),
    about: z.object({ body: z.string().optional(), lang: z.string() }).optional(), secret: z.string().optional(),
  }),
  rules: { read: any(equals('open', true), owner('by'), role('editor')), write: anyone },
  fieldRules: { secret: { read: role('editor') } },
  shapes: {
    all: { sort: ['id', 'year'] },
    search: { text: ['title', 'about.body', 'tags'], sort: ['-year,title', 'title'] },
    searchIn: { text: ['title'], equal: ['about.lang'], range: 'year', sort: ['year', '-year,title'] },
    secrets: { text: ['secret'], equal: ['year'] },
    byTitle: { equal: ['title'], folded: ['title'], sort: ['year'] },
    begins: { prefix: 'title', folded: ['title'], sort: ['title'] },
    byTag: { equal: ['tags'], folded: ['tags'], sort: ['-year'] },
  },
});

export const editor: Principal = { subject: 'eve', roles: ['editor'], claims: {} };
export const searchers = [anonymous, { subject: 'ada', roles: [], claims: {} }, editor] as const;

const words = [
  'the', 'The', 'third', 'thirty', 'man', 'Mân', 'MANIA', 'a', 'İstanbul', 'istanbul', 'Straße', 'strasse', 'Київ', 'київ',
  'ΣΊΣΥΦΟΣ', 'σίσυφος', '東京都', '京都', '東', 'がか', '서울에서', '서울', 'ภาษาไทย', 'हिन्दी', 'שָׁלוֹם', 'שלום',
  '1949', '19', '"', '*', 'OR', 'NEAR(a b)', "o'brien", 'e\u0301lan', 'élan', 'ﬁlm', 'film', '😀',
] as const;

function randomText(random: Random, most: number): string {
  return Array.from({ length: random.below(most + 1) }, () => random.pick(words)).join(random.pick([' ', '-', ', ']));
}

export function randomNote(random: Random): JsonObject {
  const body = random.chance(0.3) ? {} : { body: randomText(random, 6) };
  return {
    title: randomText(random, 3), tags: Array.from({ length: random.below(3) }, () => random.pick(words)), year: 1990 + random.below(6),
    by: random.pick(['ada', 'bob']), open: random.chance(0.6), secret: random.pick(words),
    ...(random.chance(0.3) ? {} : { about: { lang: random.pick(['en', 'de']), ...body } }),
  };
}

/** A query of one of the shapes, without a page. */
export function randomSearch(random: Random): string {
  const beginning = (letters: number) => [...random.pick(words)].slice(0, letters).join('');
  const q = () => encodeURIComponent(`${random.pick(words)} ${random.chance(0.5) ? beginning(3) : ''}`);
  const word = () => encodeURIComponent(random.pick(words));
  return random.pick([
    () => `q=${q()}${random.pick(['', '&sort=title', '&sort=year,-title'])}`,
    () => `q=${q()}&about.lang=${random.pick(['en', 'de'])}${random.pick(['', '&year[gte]=1992', '&sort=-year'])}`,
    () => `q=${q()}&about.lang[in]=en,de&year[lt]=1994`,
    () => `title=${encodeURIComponent(randomText(random, 2))}`,
    () => `title[in]=${word()}&title[in]=${word()}`,
    () => `title[prefix]=${encodeURIComponent(beginning(1 + random.below(3)))}&sort=${random.pick(['title', '-title'])}`,
    () => `tags=${word()}`,
  ])();
}

/** The ids that a query finds of all documents, in order; `undefined`: it asks for no word. */
export function naiveSearch(documents: readonly JsonObject[], query: string, principal: Principal): readonly string[] | undefined {
  const asked = new URLSearchParams(query).get('q');
  if (asked !== null && askedWords(asked).length === 0) return undefined;
  const read = parseListQuery(textNotes, `?${query}`);
  const texts = (document: JsonObject) =>
    (read.shape.text ?? []).flatMap((path) => naiveValues(document, path).filter((value) => typeof value === 'string'));
  const found = documents.filter((document) => asked === null || hasAll(wordsIn(texts(document)), askedWords(asked)));
  const folded = found.map((document) => ({ ...document, ...foldedFields(document, read.shape.folded) }));
  const where = reduce(textNotes.rules.read, principal);
  return naiveList(textNotes, folded, { ...read, limit: documents.length }, where).map(({ id }) => String(id));
}

function foldedFields(document: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((field) => {
    const value = document[field] ?? null;
    return [field, typeof value === 'string' ? fold(value) : Array.isArray(value) ? value.map((each) => fold(String(each))) : value];
  }));
}

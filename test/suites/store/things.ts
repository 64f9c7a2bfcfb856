/** Resources that put every kind of field into every kind of order, under several read rules. */
import * as z from 'zod';
import type { IdDeclaration } from '../../../shared/contract/id-declarations.ts';
import { listingRemoved } from '../../../shared/contract/removed-query.ts';
import { resource, type Resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { absent, all, any, anyone, equals, owner, role, type Rule, tenant } from '../../../shared/contract/rules.ts';
import { binary, decimal, instant, long, objectId } from '../../../shared/contract/types.ts';

const named = { kind: 'string', format: z.string() } as const;

export function things(
  name: string,
  read: Rule,
  id: IdDeclaration = named,
  stored: Pick<ResourceDeclaration, 'collection' | 'storedAs' | 'removal'> = {},
): Resource {
  return resource({
    name, id, ...stored,
    schema: z.object({
      text: z.string().nullable().optional(),
      size: z.number().nullable().optional(),
      open: z.boolean().optional(),
      time: instant().optional(),
      link: objectId().optional(),
      author: z.string().optional(),
      tenant: z.string().optional(),
      tags: z.array(z.string()).optional(),
      sizes: z.array(z.number()).optional(),
    }),
    rules: { read, write: anyone, ...(stored.removal === undefined ? {} : { restore: read }) },
    shapes: {
      all: { sort: ['id'] },
      bySize: { range: 'size', sort: ['size', '-size,text', 'size,-text,-open'] },
      byText: { prefix: 'text', sort: ['text', 'text,-size'] },
      byTextRange: { range: 'text', sort: ['text'] },
      byTime: { range: 'time', sort: ['-time'] },
      byLink: { range: 'link', sort: ['link,open,-size,time'] },
      byId: { [id === 'integer' ? 'range' : 'prefix']: 'id', sort: ['id', '-id'] },
      ofText: { equal: ['text'], range: 'size', sort: ['size,-time', '-size'] },
      ofOpen: { equal: ['open', 'link'], sort: ['text', 'open,text'] },
      ofSize: { equal: ['size'] },
      ofTag: { equal: ['tags'], range: 'size', sort: ['-size,text', 'size', 'id'] },
      ofTagAndText: { equal: ['tags', 'text'], sort: ['time', '-time,size'] },
      ofSizes: { equal: ['sizes'], sort: ['-text'] },
      ofId: { equal: ['id'] },
      ofSorted: { equal: ['text'], range: 'text', sort: ['text,size', '-text,-size'] },
    },
  });
}

/** Numbers of which every digit is meant, and bytes. */
export const amounts = resource({
  name: 'amounts',
  id: { kind: 'string', format: z.string() },
  schema: z.object({
    price: decimal().nullable().optional(),
    count: long().optional(),
    key: binary().optional(),
    prices: z.array(decimal()).optional(),
    keys: z.array(binary()).optional(),
  }),
  rules: { read: any(role('reader'), equals('price', 80), equals('count', '9007199254740993')), write: anyone },
  shapes: {
    all: {},
    byPrice: { range: 'price', sort: ['price', '-price,count', 'price,-count'] },
    byCount: { range: 'count', sort: ['-count', 'count,price'] },
    ofPrice: { equal: ['price'], sort: ['count', '-count'] },
    ofCount: { equal: ['count'], range: 'price', sort: ['price'] },
    ofKey: { equal: ['key'], range: 'count', sort: ['-count,price'] },
    ofPrices: { equal: ['prices'], range: 'price', sort: ['price'] },
    ofKeys: { equal: ['keys'] },
    ofSorted: { equal: ['price'], range: 'price', sort: ['price,-count'] },
  },
});

/** What stands inside others, in every kind of order, under a rule over what stands inside. */
export const nested = resource({
  name: 'nested-things',
  id: { kind: 'string', format: z.string() },
  schema: z.object({
    text: z.string().optional(),
    imdb: z.object({
      rating: z.number().nullable().optional(),
      at: instant().optional(),
      by: z.object({ name: z.string().optional() }).optional(),
    }).optional(),
    grades: z.array(z.object({
      grade: z.string().optional(),
      scores: z.array(z.number()).optional(),
      by: z.array(z.object({ name: z.string().optional() })).optional(),
    })).optional(),
  }),
  rules: { read: any(role('reader'), owner('imdb.by.name')), write: anyone },
  shapes: {
    all: {},
    byRating: { range: 'imdb.rating', sort: ['imdb.rating', '-imdb.rating,text', 'imdb.rating,-imdb.by.name,imdb.at'] },
    byName: { prefix: 'imdb.by.name', sort: ['imdb.by.name', 'imdb.by.name,-text'] },
    byAt: { range: 'imdb.at', sort: ['-imdb.at'] },
    ofName: { equal: ['imdb.by.name', 'text'], range: 'imdb.rating', sort: ['-imdb.rating,imdb.at'] },
    ofGrade: { equal: ['grades.grade'], range: 'imdb.rating', sort: ['-imdb.rating,text', 'id'] },
    ofScores: { equal: ['grades.scores', 'text'], sort: ['imdb.by.name'] },
    ofBy: { equal: ['grades.by.name'], sort: ['text,-imdb.rating'] },
  },
});

export const open = things('open-things', anyone);
const owned = things('owned-things', owner('author'));
const shared = things('shared-things', any(role('reader'), owner('author'), all(tenant('tenant'), equals('open', true))));
/** What a consumer leaves of the changes of other things. */
export const effects = things('effects', anyone);
const linked = things('linked-things', anyone, 'objectId');
const numbered = things('numbered-things', anyone, 'integer', { collection: 'Numbered things' });
const bytes = things('byte-things', anyone, { kind: 'uuid', storedAs: 'binary' }, { collection: 'byteThings' });
/** Two that change places, a chain of two, what stands beside `_id`, and names that need quotes. */
const renamedAs = {
  text: 'size', size: 'text', time: 'link', link: 'ti"me', open: 'is "it\'s" open?', tags: 'Schlagwörter', author: 'id', tenant: '_tenant',
};
const renamed = things('renamed-things', any(role('reader'), owner('author'), all(tenant('tenant'), equals('open', true))), named, {
  collection: 'Renamed "things"', storedAs: renamedAs,
});
/** Those without a time, of which one order is. */
export const timeless = things(
  'timeless-things', any(all(absent('time'), any(role('reader'), owner('author'))), all(absent('link'), absent('text'))),
);
/** Of documents that may be removed, those that are. */
const removed = inTrash(things('removed-things', any(role('reader'), owner('author')), named, { removal: { at: 'gone', keptDays: 1 } }));
export const everyThing = [open, owned, shared, timeless, removed, linked, numbered, bytes, renamed, nested] as const;

function inTrash(resource: Resource): Resource {
  const { removal, rules } = resource;
  return removal === undefined ? resource : { ...listingRemoved(resource, removal), rules: { ...rules, read: rules.restore } };
}

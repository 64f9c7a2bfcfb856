/** Resources whose documents name those of others, each relation with another answer to a removal. */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { to } from '../../shared/contract/relations.ts';
import { resource } from '../../shared/contract/resource.ts';
import { any, anyone, equals, owner, role, signedIn } from '../../shared/contract/rules.ts';

const id = { kind: 'string', format: z.string() } as const;
const written = { id, rules: { read: anyone, write: signedIn } } as const;
const removal = { at: 'gone' } as const;

const people = resource({
  ...written, name: 'people', schema: z.object({ open: z.boolean(), by: z.string() }), removal, shapes: { all: {} },
  rules: { read: any(equals('open', true), owner('by')), write: signedIn, restore: role('clerk') },
});
const films = resource({
  ...written, name: 'films', shapes: { all: {} },
  schema: z.object({
    title: z.string().optional(), lead: z.string().optional(), cast: z.array(z.string()).optional(), sequel: z.string().nullable(),
    crew: z.array(z.object({ who: z.string().optional() })).optional(),
  }),
  unique: { byTitle: { fields: ['title'] } },
  relations: {
    star: to('people', 'lead', { exists: true }),
    actors: to('people', 'cast', { exists: true, onDelete: 'unset' }),
    workers: to('people', 'crew.who', { exists: true, onDelete: 'restrict' }),
    next: to('films', 'sequel', { exists: true, onDelete: 'unset' }),
  },
});
const reviews = resource({
  ...written, name: 'reviews', schema: z.object({ film: z.string(), by: z.string().default('ada') }), removal, shapes: { all: {} },
  rules: { read: owner('by'), write: signedIn, restore: role('clerk') },
  relations: { film: to('films', 'film', { exists: true, onDelete: 'cascade' }) },
});
/** A reply is of a review or of another reply. */
const replies = resource({
  ...written, name: 'replies', schema: z.object({ review: z.string().optional(), reply: z.string().optional() }), shapes: { all: {} },
  relations: {
    review: to('reviews', 'review', { exists: true, onDelete: 'cascade' }),
    reply: to('replies', 'reply', { exists: true, onDelete: 'cascade' }),
  },
});
const tickets = resource({
  ...written, name: 'tickets', schema: z.object({ film: z.string().optional(), reply: z.string().optional() }), shapes: { all: {} },
  relations: {
    film: to('films', 'film', { exists: true, onDelete: 'restrict' }),
    reply: to('replies', 'reply', { exists: true, onDelete: 'restrict' }),
  },
});

export const naming = contract(people, films, reviews, replies, tickets);

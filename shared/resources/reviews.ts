import * as z from 'zod';
import { fromClaim } from '../contract/given-fields.ts';
import { to } from '../contract/relations.ts';
import { resource } from '../contract/resource.ts';
import { any, equals, owner, role } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';

/** An owner writes their own; published ones are public, drafts their owner's alone. */
export const reviews = resource({
  name: 'reviews',
  schema: z.object({
    film: z.uuid(),
    author: z.string().min(1).max(128).meta({ examples: ['alice'] }),
    status: z.enum(['draft', 'published']).default('draft'),
    rating: integer().min(1).max(5).meta({ examples: [4] }),
    text: z.string().max(5_000).meta({ examples: ['Better the second time.'] }),
  }),
  rules: {
    read: any(equals('status', 'published'), owner('author')),
    create: owner('author'),
    update: owner('author'),
    remove: any(owner('author'), role('moderator')),
    restore: role('moderator'),
  },
  // Moderators see what was removed, drafts too, until a month is over.
  removal: { at: 'deletedAt', keptDays: 30 },
  // A review stays of its film and of whoever wrote it.
  immutable: ['film', 'author'],
  defaults: { author: fromClaim('sub') },
  shapes: {
    byFilm: { equal: ['film'], sort: ['-createdAt'] },
    byAuthor: { equal: ['author'], sort: ['-createdAt'] },
    byText: { text: ['text'], sort: ['-createdAt'] },
  },
  relations: { film: to('films', 'film') },
  live: true,
});

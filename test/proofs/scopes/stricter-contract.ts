/** What is served, by stricter rules: films are for those who are signed in, and so are published reviews. */
import { contract } from '../../../shared/contract/contract.ts';
import { type ResourceDeclaration, resource } from '../../../shared/contract/resource.ts';
import { all, any, equals, owner, role, signedIn } from '../../../shared/contract/rules.ts';
import { films } from '../../../shared/resources/films.ts';
import { orders } from '../../../shared/resources/orders.ts';
import { places } from '../../../shared/resources/places.ts';
import { reviews } from '../../../shared/resources/reviews.ts';
import { versions } from '../../../shared/resources/versions.ts';

const stricter: readonly ResourceDeclaration[] = [
  {
    name: 'films', schema: films.schema,
    rules: { read: signedIn, write: role('editor') },
    shapes: { all: {}, byGenre: { equal: ['genres'], range: 'year', sort: ['-year,title', 'title'] } },
  },
  {
    name: 'reviews', schema: reviews.schema,
    rules: {
      read: any(all(equals('status', 'published'), signedIn), owner('author')),
      create: owner('author'),
      update: owner('author'),
      remove: any(owner('author'), role('moderator')),
    },
    shapes: { byFilm: { equal: ['film'], sort: ['-createdAt'] }, byAuthor: { equal: ['author'], sort: ['-createdAt'] } },
    live: true,
  },
];

/** Exported for a bundle and an origin process, which are given this file by its path. */
export const served = contract(versions, ...stricter.map(resource), places, orders);

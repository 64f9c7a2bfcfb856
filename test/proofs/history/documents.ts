/**
 * The documents of a history: films, whose answers everybody shares, and reviews, which are live and may be
 * drafts. Each holds the tag of its last write twice; a group is what one list shows whole.
 */
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Image, Seen } from './history.ts';

export type Kind = 'films' | 'reviews';

export interface Group {
  readonly kind: Kind;
  /** What names the group in its documents: a genre, or the id of a film. */
  readonly name: string;
}

export const groups: readonly [Group, Group, Group, Group] = [
  { kind: 'films', name: 'History-A' },
  { kind: 'films', name: 'History-B' },
  { kind: 'reviews', name: '0198c0de-0000-7000-8000-00000000000a' },
  { kind: 'reviews', name: '0198c0de-0000-7000-8000-00000000000b' },
];

/** Every document of the group on one page, while there are no more than a page holds. */
export function listPath({ kind, name }: Group): string {
  return kind === 'films' ? `/v2/films?genres=${name}&sort=-year,title&limit=200` : `/v2/reviews?film=${name}&limit=200`;
}

export interface Content {
  readonly tag: string;
  readonly author: string;
  readonly isDraft: boolean;
}

export function toBody({ kind, name }: Group, { tag, author, isDraft }: Content): JsonObject {
  if (kind === 'films') return { title: tag, year: 1_900 + (hashOf(tag) % 100), extract: `of ${tag}`, genres: [name], cast: [] };
  return { film: name, author, status: isDraft ? 'draft' : 'published', rating: 1 + (hashOf(tag) % 5), text: tag };
}

/** What a merge patch with the content changes: everything that shows the tag, and who may see it. */
export function toPatch({ kind, name }: Group, content: Content): JsonObject {
  const { genres: _genres, cast: _cast, film: _film, author: _author, ...changed } = toBody({ kind, name }, content);
  return changed as JsonObject;
}

export function toSeen(document: JsonObject): Seen {
  const { id, rev, title, year, extract, text, rating } = document;
  const tag = String(title ?? text);
  const whole = title === undefined ? rating === 1 + (hashOf(tag) % 5) : extract === `of ${tag}` && year === 1_900 + (hashOf(tag) % 100);
  return { id: String(id), rev: Number(rev), tag, whole };
}

export function toImage(document: JsonObject): Image {
  const { status, author } = document;
  return { ...toSeen(document), visibleTo: status === 'draft' ? String(author) : undefined };
}

export function groupOf(document: JsonObject): string {
  const { film, genres } = document;
  return film === undefined ? String(Array.isArray(genres) ? genres[0] : '') : String(film);
}

function hashOf(tag: string): number {
  return new Bun.CryptoHasher('md5').update(tag).digest().readUInt32BE(0);
}

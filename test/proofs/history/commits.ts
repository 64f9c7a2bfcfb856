/**
 * What was committed, from the database's own log and by nothing that serves it: the truth that answers and
 * events are held against. The log may lose its beginning on the way, so it is read as it grows.
 */
import type { Position } from '../../../shared/wire/position.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { groupOf, groups, toImage } from './documents.ts';
import type { Commit } from './history.ts';

export interface CommitSource {
  /** All commits of the history's documents until now. */
  read(): readonly Commit[];
  /** Makes every cursor but the newest useless, as age does; nothing else is lost. */
  forget(): void;
}

export interface Change {
  readonly position: Position;
  readonly resource: string;
  readonly id: string;
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
}

/** `undefined`: of a document that no client of the history knows. */
export function toCommit({ position, resource, id, before, after }: Change): Commit | undefined {
  const group = groupOf(after ?? before ?? {});
  if (!groups.some(({ name }) => name === group)) return undefined;
  return { position, id, group, live: resource === 'reviews', before: standing(before), after: standing(after) };
}

/** A removed review stays in the database, and is not there for anybody. */
function standing(document: JsonObject | undefined): ReturnType<typeof toImage> | undefined {
  return document === undefined || document['deletedAt'] !== undefined ? undefined : toImage(document);
}

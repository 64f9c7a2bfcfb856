/**
 * `tombolo-read`: what an answer tells the edge's cache of the state that it was made from. Signed like the rest of the
 * answer, and taken away before the client.
 *
 *   <position>;<resource digest>;<scope digest>       the resource that was asked for
 *   …;<name>;<resource digest>;<scope digest>         each other resource that was read for the answer
 */
import { formatPosition, parsePosition, type Position } from '../wire/position.ts';

/** Under which declaration one resource was read, and for whom. */
export interface ResourceRead {
  readonly resourceDigest: string;
  readonly scopeDigest: string;
}

export interface ReadFacts extends ResourceRead {
  readonly position: Position;
  readonly others: readonly (ResourceRead & { readonly name: string })[];
}

export function formatReadFacts({ position, resourceDigest, scopeDigest, others }: ReadFacts): string {
  const own = `${formatPosition(position)};${resourceDigest};${scopeDigest}`;
  return others.reduce((text, other) => `${text};${other.name};${other.resourceDigest};${other.scopeDigest}`, own);
}

export function parseReadFacts(text: string): ReadFacts | undefined {
  const [at = '', resourceDigest, scopeDigest, ...more] = text.split(';');
  const position = parsePosition(at);
  if (position === undefined || resourceDigest === undefined || scopeDigest === undefined || more.length % 3 !== 0) return undefined;
  const others: ReadFacts['others'][number][] = [];
  for (let at = 0; at < more.length; at += 3) {
    const [name = '', resourceDigest = '', scopeDigest = ''] = more.slice(at);
    others.push({ name, resourceDigest, scopeDigest });
  }
  return { position, resourceDigest, scopeDigest, others };
}

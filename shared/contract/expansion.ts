/**
 * `expand=film,film.studio`: which related documents an answer shows, as a tree of declared relations. How many that may be
 * is known before anything is read, so a refusal tells nothing of what is stored.
 */
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { limits } from '../wire/limits.ts';
import type { QueryReader } from './query-reader.ts';
import type { Relation } from './relations.ts';
import type { Resource } from './resource.ts';

export interface Expansion {
  readonly relation: Relation;
  /** What is expanded of the documents that it shows. */
  readonly below: readonly Expansion[];
}

/** By name, each once. What is wrong is refused at the reader; `documents`: how many the answer has beside them. */
export function readExpand(reader: QueryReader, documents: number): readonly Expansion[] | undefined {
  if (!reader.names.has('expand')) return undefined;
  const ways = [...new Set(reader.one('expand').split(','))].map((path) => path.split('.'));
  const deepest = Math.max(...ways.map((way) => way.length));
  if (deepest > limits.expandLevelsMax) {
    reader.refuse('expand', `${deepest} levels; ${limits.expandLevelsMax} at most`);
    return undefined;
  }
  if (reader.one('format') === 'csv') reader.refuse('expand', 'not in a CSV, whose columns are those of one resource');
  const expansions = toExpansions(reader.resource, ways, (detail) => reader.refuse('expand', detail));
  const most = documents * mostOf(expansions);
  if (most > limits.expandedDocumentsMax) {
    reader.refuse('expand', `may be ${most} documents; ${limits.expandedDocumentsMax} at most: ask for a smaller page, or for less`);
  }
  return expansions;
}

function toExpansions(
  { name: resourceName, related }: Resource,
  ways: readonly (readonly string[])[],
  refuse: (detail: string) => void,
): readonly Expansion[] {
  return [...Map.groupBy(ways, ([first = '']) => first)].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([name, same]) => {
    const relation = related.get(name);
    if (relation === undefined) {
      refuse(`unknown relation "${name}"; ${resourceName} has ${[...related.keys()].join(', ') || 'none to show here'}`);
      return [];
    }
    const below = same.map((way) => way.slice(1)).filter((way) => way.length > 0);
    return [{ relation, below: toExpansions(relation.target, below, refuse) }];
  });
}

/** Documents shown beside one document, at most. */
function mostOf(expansions: readonly Expansion[]): number {
  return expansions.reduce((sum, { relation, below }) => sum + (relation.isList ? relation.limit : 1) * (1 + mostOf(below)), 0);
}

/** The resources that are read for it, each once. */
export function targetsOf(expansions: readonly Expansion[]): readonly Resource[] {
  return [...new Set(expansions.flatMap(({ relation, below }) => [relation.target, ...targetsOf(below)]))];
}

/** Names what is shown and how it is found: an answer that was made by other relations is another one. */
export function expansionDigest(expansions: readonly Expansion[]): string {
  return digest64(toCanonicalJson(toNames(expansions)));
}

type Names = readonly (string | number | Names)[];

function toNames(expansions: readonly Expansion[]): Names {
  return expansions.map(({ relation: { name, kind, of, field, limit }, below }) => [name, kind, of, field, limit, toNames(below)]);
}

/**
 * `tombolo-depends`: what a state endpoint's answer was made of, which no edge could know before it (SEMANTICS §18). Signed
 * like the rest of the answer, and taken away before the client; an edge that does not know it passes over it.
 *
 *   films:12.407;reviews:3     resources, each with its buckets
 *   uncached=fetch             it depends on what no bucket names, and why
 */
import type { Dependencies, Dependency } from '../contract/dependencies.ts';

export const dependsHeader = 'tombolo-depends';

/** Buckets that one answer may state; an edge keeps no more beside one entry. The header has a kilobyte then. */
export const statedBucketsMax = 128;

/** Why an answer is not to be kept: what it was made of beside what its reads name. */
const reasons = ['principal', 'clock', 'fetch', 'undeclared-read', 'nothing-read', 'much-read', 'epoch'] as const;

export type Uncached = (typeof reasons)[number];

export type StatedReads =
  | { readonly dependencies: Dependencies; readonly uncached?: undefined }
  | { readonly uncached: Uncached; readonly dependencies?: undefined };

export function formatStatedReads({ dependencies, uncached }: StatedReads): string {
  if (dependencies === undefined) return `uncached=${uncached}`;
  return dependencies.map(({ resource, buckets }) => `${resource}:${buckets.join('.')}`).join(';');
}

/** `undefined` for a text of another release: nobody knows then what the answer depends on. */
export function parseStatedReads(text: string): StatedReads | undefined {
  const uncached = reasons.find((reason) => text === `uncached=${reason}`);
  if (uncached !== undefined) return { uncached };
  const dependencies = text.split(';').map(parseDependency);
  return dependencies.every((each) => each !== undefined) ? { dependencies } : undefined;
}

function parseDependency(text: string): Dependency | undefined {
  const [, resource, buckets] = /^([a-z][a-z0-9-]{0,62}):(\d{1,4}(?:\.\d{1,4})*)$/.exec(text) ?? [];
  return resource === undefined || buckets === undefined ? undefined : { resource, buckets: buckets.split('.').map(Number) };
}

/**
 * `tombolo-depends`: what a state endpoint's answer was made of, which no edge could know before it (SEMANTICS §18). Signed
 * like the rest of the answer, and taken away before the client; an edge that does not know it passes over it.
 *
 *   <digest>;films:12.407;reviews:3     the declaration that made it; resources, each with its buckets
 *   uncached=fetch                      it depends on what no bucket names, and why
 */
import type { Dependencies, Dependency } from '../contract/dependencies.ts';

export const dependsHeader = 'tombolo-depends';

/** Buckets that one answer may state; an edge keeps no more beside one entry. The header has a kilobyte then. */
export const statedBucketsMax = 128;

/** Why an answer is not to be kept: what it was made of beside what its reads name. */
const reasons = ['principal', 'clock', 'fetch', 'undeclared-read', 'nothing-read', 'failed-read', 'much-read', 'epoch'] as const;

export type Uncached = (typeof reasons)[number];

export type StatedReads =
  /** `digest`: that of the endpoint's declaration; an edge keeps no answer of another one. */
  | { readonly dependencies: Dependencies; readonly digest: string; readonly uncached?: undefined }
  | { readonly uncached: Uncached; readonly dependencies?: undefined };

export function formatStatedReads(stated: StatedReads): string {
  if (stated.dependencies === undefined) return `uncached=${stated.uncached}`;
  return [stated.digest, ...stated.dependencies.map(({ resource, buckets }) => `${resource}:${buckets.join('.')}`)].join(';');
}

/** `undefined` for a text of another release: nobody knows then what the answer depends on. */
export function parseStatedReads(text: string): StatedReads | undefined {
  const uncached = reasons.find((reason) => text === `uncached=${reason}`);
  if (uncached !== undefined) return { uncached };
  const [digest = '', ...rest] = text.split(';');
  const dependencies = rest.map(parseDependency);
  const isKnown = /^[0-9a-f]{16}$/.test(digest) && dependencies.every((each) => each !== undefined);
  return isKnown ? { digest, dependencies } : undefined;
}

function parseDependency(text: string): Dependency | undefined {
  const [, resource, buckets] = /^([a-z][a-z0-9-]{0,62}):(\d{1,4}(?:\.\d{1,4})*)$/.exec(text) ?? [];
  return resource === undefined || buckets === undefined ? undefined : { resource, buckets: buckets.split('.').map(Number) };
}

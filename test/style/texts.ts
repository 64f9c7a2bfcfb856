/** What no text of the project may hold: one machine's paths, one machine's registry. */
import type { Complaint, Source } from './source.ts';

/** Absolute paths below folders that only some machine has; a URL's path or a pattern's `/work` is not one. */
const machinePath = /(?<![\w.$}\])-])\/(?:work|root|farm|home\/[a-z][\w-]*)\/[\w.-]+/g;
const registry =
  /\b(?:registry\.(?:npmjs|yarnpkg)\.[a-z]+|npm\.pkg\.github\.com|[\w.-]*(?:artifactory|verdaccio|jfrog|nexus)[\w.-]*\.[a-z]{2,})\b/gi;
const address = /https?:\/\/[^"\s]+/g;

export function findForeignTexts(sources: readonly Source[]): Complaint[] {
  return sources.flatMap((source) => [
    ...found(source, machinePath, 'is a path of one machine'),
    ...found(source, registry, 'is the address of a registry: that is the machine\'s affair'),
    ...(source.path === 'bun.lock' ? found(source, address, 'is an address in the lock file, which must serve every registry') : []),
  ]);
}

function found({ path, text }: Source, pattern: RegExp, what: string): Complaint[] {
  return [...text.matchAll(pattern)].map(({ index, 0: hit }) => `${path}:${text.slice(0, index).split('\n').length} ${hit} ${what}`);
}

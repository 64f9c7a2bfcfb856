/** Related documents in an answer of an older version: each as that version has the documents of its own resource (SEMANTICS §19). */
import type { Contract } from '../contract/contract.ts';
import type { Expansion } from '../contract/expansion.ts';
import { digest64 } from '../wire/hash.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { type Dialect, translationOf } from './dialect.ts';
import type { Translation } from './translation.ts';
import type { Version } from './versions.ts';

/** How one relation is shown, and what is expanded below it. */
interface Part {
  readonly name: string;
  readonly translation: Translation | undefined;
  readonly below: readonly Part[];
}

/** The dialect of an answer with related documents in it. `undefined`: nothing of it differs from the current version. */
export function expandedDialect(
  { versions }: Pick<Contract, 'versions'>, dialect: Dialect | undefined, expanded: readonly Expansion[], version: Version,
): Dialect | undefined {
  const partsOf = (expansions: readonly Expansion[]): readonly Part[] => expansions.map(({ relation: { name, target }, below }) => {
    return { name, translation: translationOf(versions, target, version), below: partsOf(below) };
  });
  const parts = partsOf(expanded);
  const digests = [dialect?.digest, ...digestsOf(parts)];
  if (digests.every((digest) => digest === undefined)) return undefined;
  const { input, output } = dialect ?? {};
  const down = (document: JsonObject) => downWith(document, output, parts);
  return { input, output, shown: { down }, digest: digest64(digests.map((digest) => digest ?? '').join()) };
}

function digestsOf(parts: readonly Part[]): readonly (string | undefined)[] {
  return parts.flatMap(({ translation, below }) => [translation?.digest, ...digestsOf(below)]);
}

/** Relations are called the same in every version, also one that stands in the place of a field. */
function downWith(document: JsonObject, translation: Translation | undefined, parts: readonly Part[]): JsonObject {
  const names = new Set(parts.map(({ name }) => name));
  const own = Object.fromEntries(Object.entries(document).filter(([name]) => !names.has(name)));
  const related = parts.map((part): [string, Json] => [part.name, downRelated(document[part.name] ?? null, part)]);
  return { ...(translation?.down(own) ?? own), ...Object.fromEntries(related) };
}

function downRelated(value: Json, part: Part): Json {
  if (Array.isArray(value)) return value.map((each: Json) => downRelated(each, part));
  return isJsonObject(value) ? downWith(value, part.translation, part.below) : value;
}

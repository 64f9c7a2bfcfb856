/**
 * Which fields clients do not give, give once, or need not give: `readonly` ones are written by hooks, by endpoints as the
 * system and by the schema's defaults alone; `immutable` ones keep the value that they have, whoever writes; `defaults` are
 * filled from the caller's claims where a new document does not name them.
 */
import { type DocumentSchema, memberTypes } from './document-schema.ts';
import type { Field } from './fields.ts';
import { type Mistakes, type Refuse, toObject } from './mistakes.ts';
import { isWithin } from './path.ts';
import type { Resource } from './resource.ts';
import { whyNoField } from './schema-fields.ts';

/** What fills a member from whoever makes the document: `sub`, or any claim that is plain. */
export interface ClaimDefault {
  readonly claim: string;
}

/** Exported for resource files: `defaults: { author: fromClaim('sub') }`. */
export const fromClaim = (claim: string): ClaimDefault => ({ claim });

export interface GivenDeclaration {
  /** Paths that no client writes. */
  readonly readonly?: readonly string[];
  /** Paths whose value no write changes once it is there, by whatever way. */
  readonly immutable?: readonly string[];
  /** By member of the document: the claim that is its value in new documents that do not name it. */
  readonly defaults?: Readonly<Record<string, ClaimDefault>>;
}

export interface GivenFields {
  readonly immutable: readonly string[];
  readonly defaults: Readonly<Record<string, ClaimDefault>>;
}

interface Surroundings {
  readonly schema: DocumentSchema;
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
}

export function toGivenFields(declared: GivenDeclaration, surroundings: Surroundings, mistakes: Mistakes): GivenFields {
  return {
    immutable: toPaths('immutable', declared.immutable, surroundings, mistakes),
    defaults: toDefaults(declared.defaults, surroundings, mistakes),
  };
}

/** The paths that are declared so. */
export function toReadonly({ readonly }: GivenDeclaration, surroundings: Surroundings, mistakes: Mistakes): readonly string[] {
  const paths = toPaths('readonly', readonly, surroundings, mistakes);
  const types = memberTypes(surroundings.schema);
  for (const path of paths) {
    const isDemanded = (types.get(path) ?? []).some((type) => type._zod.optin === undefined);
    if (isDemanded) mistakes.add('readonly', `"${path}" must be optional or have a default: nobody could make a document with it`);
  }
  return paths;
}

/** The paths that nobody may write, however that was declared. */
export function readonlyPaths({ fieldRules }: Pick<Resource, 'fieldRules'>): readonly string[] {
  return Object.entries(fieldRules).flatMap(([path, { write }]) => (write?.kind === 'nobody' ? [path] : []));
}

function toPaths(key: keyof GivenDeclaration, given: unknown, { fields }: Surroundings, mistakes: Mistakes): readonly string[] {
  if (given === undefined) return [];
  if (!Array.isArray(given) || !given.every((path) => typeof path === 'string')) {
    mistakes.add(key, 'must be a list of paths');
    return [];
  }
  const paths: readonly string[] = given;
  for (const path of paths) {
    const field = fields.get(path);
    if (path === 'id' || field === undefined) mistakes.add(key, whyNoField(path));
    if (field?.isInArray === true) mistakes.add(key, `"${path}" stands in the elements of an array; the array is what can be ${key}`);
    const outer = paths.find((other) => other !== path && isWithin(path, other));
    if (outer !== undefined) mistakes.add(key, `"${path}" is within "${outer}", which says it already`);
  }
  return [...new Set(paths)].sort();
}

function toDefaults(declared: GivenDeclaration['defaults'], { schema }: Surroundings, mistakes: Mistakes): GivenFields['defaults'] {
  const given = toObject(declared, (detail) => mistakes.add('defaults', detail));
  const types = memberTypes(schema);
  for (const [member, filled] of Object.entries(given)) checkDefault(member, filled, types, mistakes.at('defaults.'));
  return given;
}

function checkDefault(member: string, filled: unknown, types: ReturnType<typeof memberTypes>, refuse: Refuse): void {
  const found = types.get(member);
  if (found === undefined) return refuse(member, `is no member of the schema; known are ${[...types.keys()].join(', ')}`);
  if (!isClaimDefault(filled)) refuse(member, 'must be what fromClaim("…") gives; what is always the same is a default of the schema');
  if (found.some(({ _zod: { def } }) => def.type === 'default' || def.type === 'prefault')) {
    refuse(member, 'has a default in the schema, which would always be there first');
  }
}

/** The types of a declaration are not checked when it runs. */
function isClaimDefault(given: unknown): given is ClaimDefault {
  return typeof given === 'object' && given !== null && 'claim' in given && typeof given.claim === 'string' && given.claim !== '';
}

/** What is wrong with fields that clients do not give, give once, or need not give. */
import { type DocumentSchema, memberTypes } from '../contract/document-schema.ts';
import type { Field } from '../contract/fields.ts';
import type { ClaimDefault, GivenDeclaration } from '../contract/given-fields.ts';
import { isWithin } from '../contract/path.ts';
import { whyNoField } from './field-checks.ts';
import { type Mistakes, type Refuse, toObject } from './mistakes.ts';

interface Surroundings {
  readonly schema: DocumentSchema;
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
}

/** Gives the paths that can be read. */
export function checkReadonly({ readonly }: GivenDeclaration, surroundings: Surroundings, mistakes: Mistakes): readonly string[] {
  const paths = checkPaths('readonly', readonly, surroundings, mistakes);
  const types = memberTypes(surroundings.schema);
  for (const path of paths) {
    const isDemanded = (types.get(path) ?? []).some((type) => type._zod.optin === undefined);
    if (isDemanded) mistakes.add('readonly', `"${path}" must be optional or have a default: nobody could make a document with it`);
  }
  return paths;
}

export function checkGivenFields(declared: GivenDeclaration, surroundings: Surroundings, mistakes: Mistakes): void {
  checkPaths('immutable', declared.immutable, surroundings, mistakes);
  const given = toObject(declared.defaults, (detail) => mistakes.add('defaults', detail));
  const types = memberTypes(surroundings.schema);
  for (const [member, filled] of Object.entries(given)) checkDefault(member, filled, types, mistakes.at('defaults.'));
}

function checkPaths(key: keyof GivenDeclaration, given: unknown, { fields }: Surroundings, mistakes: Mistakes): readonly string[] {
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

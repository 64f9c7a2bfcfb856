/**
 * Which fields clients do not give, give once, or need not give: `readonly` ones are written by hooks, by endpoints as the
 * system and by the schema's defaults alone; `immutable` ones keep the value that they have, whoever writes; `defaults` are
 * filled from the caller's claims where a new document does not name them.
 */
import type { Rule } from './rules.ts';

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

export function toGivenFields({ immutable, defaults = {} }: GivenDeclaration): GivenFields {
  return { immutable: toPaths(immutable), defaults };
}

/** The paths that are declared so. */
export function toReadonly({ readonly }: GivenDeclaration): readonly string[] {
  return toPaths(readonly);
}

interface FieldRuled {
  readonly fieldRules: Readonly<Record<string, { readonly write?: Rule }>>;
}

/** The paths that nobody may write, however that was declared. */
export function readonlyPaths({ fieldRules }: FieldRuled): readonly string[] {
  return Object.entries(fieldRules).flatMap(([path, { write }]) => (write?.kind === 'nobody' ? [path] : []));
}

function toPaths(given: readonly string[] = []): readonly string[] {
  return [...new Set(given)].sort();
}

// Collations: by code point (`simple`), and by strength 1 to 3 of any locale through folding.
//
// Folding gives a key that orders letters without case or marks. It equals ICU on plain letters and digits; locale
// tailorings (å after z) are not modelled, and options that would change an answer are refused.
import { fail } from '../errors.ts';
import { type Doc, isDoc, toNumber } from './types.ts';

export type Collation = { locale: string; strength: 1 | 2 | 3; spec: Doc };

export function parseCollation(value: unknown): Collation | null {
  if (value === undefined || value === null) return null;
  if (!isDoc(value)) throw fail('TypeMismatch', "BSON field 'collation' is the wrong type, expected type 'object'");
  const locale = value['locale'];
  if (typeof locale !== 'string') throw fail(40414, "BSON field 'collation.locale' is missing but a required field");
  if (locale === 'simple') return null;
  for (const [option, plain] of Object.entries(PLAIN)) {
    if (value[option] !== undefined && value[option] !== plain) throw fail('NotImplemented', `collation option ${option}: ${String(value[option])} is refused by this test server`);
  }
  const strength = toNumber(value['strength']) ?? 3;
  if (strength !== 1 && strength !== 2 && strength !== 3) throw fail('NotImplemented', `collation strength ${strength} is refused by this test server`);
  return { locale, strength, spec: { locale, caseLevel: false, caseFirst: 'off', strength, numericOrdering: false, alternate: 'non-ignorable', maxVariable: 'punct', normalization: false, backwards: false, version: '57.1' } };
}

const PLAIN: Doc = { caseLevel: false, caseFirst: 'off', numericOrdering: false, alternate: 'non-ignorable', backwards: false };

export function collate(text: string, { strength }: Collation): string {
  const apart = text.normalize('NFD');
  const base = apart.replace(/\p{M}+/gu, '').toLowerCase();
  if (strength === 1) return base;
  const marks = apart.toLowerCase();
  if (strength === 2) return marks === base ? base : `${base}\u0001${marks}`;
  // Third level: lower case before upper.
  return `${base}\u0001${marks}\u0001${[...apart].map(c => (c !== c.toLowerCase() ? '\u0003' : '\u0002')).join('')}`;
}

export const isSameCollation = (a: Collation | null, b: Collation | null): boolean =>
  a === b || (a !== null && b !== null && a.locale === b.locale && a.strength === b.strength);

/** What of shapes by text and by folded values nothing could serve. */
import type { Field } from '../contract/fields.ts';
import { mentionsOf, type Rule } from '../contract/rules.ts';
import type { Shape } from '../contract/shapes.ts';
import { whyNoField } from './field-checks.ts';
import type { Mistakes, Refuse } from './mistakes.ts';

export function checkByEntries(shape: Shape, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  const folded = shape.beside.find((name) => shape.folded.includes(name));
  if (folded !== undefined) refuse('beside', `"${folded}" is folded: what is beside the index is compared as it is stored`);
  checkText(shape, fields, refuse);
  for (const name of shape.folded) {
    const detail = whyNoText(name, fields);
    if (detail !== undefined) refuse('folded', detail);
    if (!shape.equal.includes(name) && shape.prefix !== name) refuse('folded', `"${name}" is none of its equal and prefix`);
  }
}

/** A rule compares what is stored, and entries have it folded. */
export function checkFoldedRule(shapes: readonly Shape[], read: Rule, mistakes: Mistakes): void {
  const { fields } = mentionsOf([read]);
  for (const { name, folded } of shapes) {
    for (const field of folded) if (fields.has(field)) mistakes.add('rules.read', `"${field}" is folded by the shape "${name}"`);
  }
}

function checkText({ text, equal }: Shape, fields: ReadonlyMap<string, Field>, refuse: Refuse): void {
  if (text === undefined) return;
  if (text.length === 0) refuse('text', 'names no field');
  for (const name of text) {
    const detail = whyNoText(name, fields);
    if (detail !== undefined) refuse('text', detail);
  }
  const array = equal.find((name) => fields.get(name)?.kind === 'array');
  if (array !== undefined) refuse('equal', `"${array}" (array): words are many themselves, and one index holds one that is many`);
}

function whyNoText(name: string, fields: ReadonlyMap<string, Field>): string | undefined {
  const field = fields.get(name);
  if (field === undefined || name === 'id') return whyNoField(name);
  const kind = field.kind === 'array' ? field.element : field.kind;
  return kind === 'string' ? undefined : `"${name}" (${field.kind}) is no text`;
}

/** The rules of a resource's rows as they are declared: one for each thing that can be done, and nobody where none is. */
import type { Field } from './fields.ts';
import { readRule, type Removal } from './removal.ts';
import { nobody, type Rule, toCanonicalRule } from './rules.ts';

export interface RuleDeclaration {
  readonly read?: Rule;
  /** Shorthand for create, update and remove. */
  readonly write?: Rule;
  readonly create?: Rule;
  readonly update?: Rule;
  readonly remove?: Rule;
  /** Who sees, restores and erases what is removed, where `removal` is declared; nobody unless said. */
  readonly restore?: Rule;
  /** Who reads the log of changes, where `history` is declared; nobody unless said. */
  readonly history?: Rule;
}

export type RowRules = Readonly<Record<Exclude<keyof RuleDeclaration, 'write'>, Rule>>;

interface Surroundings {
  readonly fields: ReadonlyMap<string, Field>;
  readonly removal: Removal | undefined;
}

export function toRules(declared: RuleDeclaration = {}, { fields, removal }: Surroundings): RowRules {
  const rule = (key: keyof RuleDeclaration, fallback: Rule) => canonical(declared[key] ?? fallback, fields);
  const write = rule('write', nobody);
  return {
    read: readRule(rule('read', nobody), removal),
    create: rule('create', write), update: rule('update', write), remove: rule('remove', write),
    restore: rule('restore', nobody), history: rule('history', nobody),
  };
}

export function canonical(rule: Rule, fields: ReadonlyMap<string, Field>): Rule {
  return toCanonicalRule(rule, (field) => fields.get(field)?.kind);
}

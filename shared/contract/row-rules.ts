/** The rules of a resource's rows as they are declared: one for each thing that can be done, and nobody where none is. */
import type { DocumentSchema } from './document-schema.ts';
import { type Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { readRule, type Removal } from './removal.ts';
import { checkIndexable, type RuleSurroundings, toRule } from './rule-checks.ts';
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

const keys = ['read', 'write', 'create', 'update', 'remove', 'restore', 'history'] as const;

export type Surroundings = Omit<RuleSurroundings, 'refuse'> & { readonly schema: DocumentSchema };

interface RowSurroundings extends Surroundings {
  readonly removal: Removal | undefined;
  readonly isLogged: boolean;
}

export function toRules(declared: RuleDeclaration | undefined, surroundings: RowSurroundings, mistakes: Mistakes): RowRules {
  const { removal, isLogged } = surroundings;
  const given = toObject(declared, (detail) => mistakes.add('rules', detail));
  refuseUnknown(given, keys, mistakes.at('rules.'));
  const at = (key: keyof RuleDeclaration) => ({ ...surroundings, refuse: (detail: string) => mistakes.add(`rules.${key}`, detail) });
  const rule = (key: keyof RuleDeclaration, fallback: Rule) => canonical(toRule(given[key], fallback, at(key)), surroundings);
  const read = rule('read', nobody);
  const write = rule('write', nobody);
  const restore = rule('restore', nobody);
  const history = rule('history', nobody);
  checkIndexable(read, at('read'));
  checkIndexable(restore, at('restore'));
  if (restore.kind !== 'nobody' && removal === undefined) {
    mistakes.add('rules.restore', 'is of what stays when it is removed, which `removal` declares');
  }
  if (history.kind !== 'nobody' && !isLogged) mistakes.add('rules.history', 'is of the log of changes, which `history` declares');
  return {
    read: readRule(read, removal), create: rule('create', write), update: rule('update', write), remove: rule('remove', write),
    restore, history,
  };
}

export function canonical(rule: Rule, { fields }: Surroundings): Rule {
  return toCanonicalRule(rule, (field) => fields.get(field)?.kind);
}

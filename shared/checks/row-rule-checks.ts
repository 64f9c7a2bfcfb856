/** What is wrong with the rules of rows and of fields. */
import type { HistoryDeclaration } from '../contract/history.ts';
import type { RemovalDeclaration } from '../contract/removal.ts';
import type { ResourceDeclaration } from '../contract/resource.ts';
import type { RuleDeclaration } from '../contract/row-rules.ts';
import type { Rule } from '../contract/rules.ts';
import { whyNoField } from './field-checks.ts';
import { type Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { checkIndexable, readRule, type RuleSurroundings } from './rule-checks.ts';

const keys = ['read', 'write', 'create', 'update', 'remove', 'restore', 'history'] as const;
const fieldKeys = ['read', 'write'] as const;

type Surroundings = Omit<RuleSurroundings, 'refuse'>;

interface RowSurroundings extends Surroundings {
  readonly removal: RemovalDeclaration | undefined;
  readonly history: HistoryDeclaration | undefined;
}

/** Gives the rule of reads. */
export function checkRules(declared: RuleDeclaration | undefined, surroundings: RowSurroundings, mistakes: Mistakes): Rule {
  const given = toObject(declared, (detail) => mistakes.add('rules', detail));
  refuseUnknown(given, keys, mistakes.at('rules.'));
  const at = (key: keyof RuleDeclaration) => ({ ...surroundings, refuse: (detail: string) => mistakes.add(`rules.${key}`, detail) });
  const rule = (key: keyof RuleDeclaration) => readRule(given[key], at(key));
  const [read, , restore, history] = [rule('read'), rule('write'), rule('restore'), rule('history')];
  checkIndexable(read, at('read'));
  checkIndexable(restore, at('restore'));
  if (restore.kind !== 'nobody' && surroundings.removal === undefined) {
    mistakes.add('rules.restore', 'is of what stays when it is removed, which `removal` declares');
  }
  if (history.kind !== 'nobody' && surroundings.history === undefined) {
    mistakes.add('rules.history', 'is of the log of changes, which `history` declares');
  }
  for (const key of ['create', 'update', 'remove'] as const) rule(key);
  return read;
}

/** `readonly`: the paths that are declared so, beside the rules. */
export function checkFieldRules(
  { fieldRules: declared }: ResourceDeclaration, readonly: readonly string[], surroundings: Surroundings, mistakes: Mistakes,
): void {
  const given = toObject(declared, (detail) => mistakes.add('fieldRules', detail));
  for (const [field, declaredRules] of Object.entries(given)) {
    const path = `fieldRules.${field}`;
    const rules = toObject(declaredRules, (detail) => mistakes.add(path, detail));
    if (field === 'id' || !surroundings.fields.has(field)) mistakes.add(path, whyNoField(field));
    if (surroundings.fields.get(field)?.isInArray === true && rules.write !== undefined) {
      mistakes.add(`${path}.write`, 'stands in the elements of an array; who may write the array is what a rule can say');
    }
    refuseUnknown(rules, fieldKeys, mistakes.at(`${path}.`));
    for (const key of fieldKeys) readRule(rules[key], { ...surroundings, refuse: (detail) => mistakes.add(`${path}.${key}`, detail) });
    if (readonly.includes(field) && rules.write !== undefined) {
      mistakes.add(`${path}.write`, 'is read-only, so that nobody writes it');
    }
  }
}

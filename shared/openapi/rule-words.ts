/** Rules in words, for people who read the description of the API. */
import type { Resource } from '../contract/resource.ts';
import type { Rule } from '../contract/rules.ts';
import type { Translation } from '../versions/translation.ts';

export function ruleInWords(rule: Rule, input?: Translation): string {
  switch (rule.kind) {
    case 'anyone':
      return 'anyone';
    case 'nobody':
      return 'nobody';
    case 'signedIn':
      return 'whoever is signed in';
    case 'role':
      return `callers with the role \`${rule.role}\``;
    case 'claim':
      return `callers whose claim \`${rule.claim}\` is the document's \`${input?.downPath(rule.field) ?? rule.field}\``;
    case 'equals':
      return `documents whose \`${input?.downPath(rule.field) ?? rule.field}\` is \`${JSON.stringify(rule.value)}\``;
    case 'absent':
      return `documents without \`${input?.downPath(rule.field) ?? rule.field}\``;
    case 'not':
      return `not (${ruleInWords(rule.rule, input)})`;
    case 'all':
    case 'any':
      return rule.rules.map((part) => nested(part, rule.kind, input)).join(rule.kind === 'all' ? ', and ' : ', or ');
  }
}

function nested(rule: Rule, outer: 'all' | 'any', input: Translation | undefined): string {
  const words = ruleInWords(rule, input);
  return (rule.kind === 'all' || rule.kind === 'any') && rule.kind !== outer ? `(${words})` : words;
}

/** Who reads and writes a field, and what it is where nobody says, if anything of it is declared. */
export function fieldInWords({ fieldRules, immutable, defaults }: Resource, field: string): string | undefined {
  const { read, write } = fieldRules[field] ?? {};
  const { claim } = defaults[field] ?? {};
  const words = [
    ...(read === undefined ? [] : [`Read by: ${ruleInWords(read)}.`]),
    ...(write === undefined ? [] : [`Written by: ${ruleInWords(write)}.`]),
    ...(immutable.includes(field) ? ['Cannot be changed once it is there.'] : []),
    ...(claim === undefined ? [] : [`In a new document the caller's claim \`${claim}\`, unless given.`]),
  ];
  return words.length === 0 ? undefined : words.join(' ');
}

/** What is wrong with an endpoint's declaration: each is noted by its key, and refuses the start. */
import type * as z from 'zod';
import { bodiesOf } from '../contract/documents.ts';
import { idField } from '../contract/filter-values.ts';
import { type Mistakes, refuseUnknown } from '../contract/mistakes.ts';
import { isActionName, isReservedName } from '../contract/reserved-names.ts';
import { toRule } from '../contract/rule-checks.ts';
import { mentionsOf, nobody, type Rule, toCanonicalRule } from '../contract/rules.ts';
import { checkSchema } from '../contract/schema-checks.ts';
import { valueTypesOf } from '../contract/schema-fields.ts';
import type { AnyDeclaration } from './endpoint.ts';
import { isReadable } from './endpoint-query.ts';

const keys = [
  'name', 'summary', 'of', 'at', 'method', 'answers', 'rule', 'input', 'output', 'cost', 'reads', 'audience', 'fetches', 'revision',
] as const;
const costMax = 1_000;
const words = 'lower-case letters, digits and hyphens';

/** The types of a declaration are not checked when it runs. */
export function checkEndpoint(declared: AnyDeclaration, mistakes: Mistakes): void {
  const { name, summary, of, method, answers, output, input, cost = 1, fetches = [], revision = 0 } = declared;
  const refuse = mistakes.at('');
  refuseUnknown(declared, keys, refuse);
  if (typeof name !== 'string' || !isActionName(name)) refuse('name', `must be ${words}, beginning with a letter`);
  if (typeof summary !== 'string' || summary === '') refuse('summary', 'is missing: one sentence for the description of the API');
  if (answers !== 'state' && answers !== 'effect') refuse('answers', 'must be "state" or "effect"');
  const methods: readonly string[] = answers === 'state' ? ['GET'] : ['POST', 'PUT', 'PATCH'];
  if (!methods.includes(method)) refuse('method', `must be ${methods.join(', ')} for "${answers}"`);
  if (of.internal) refuse('of', 'is an internal resource, which is never served');
  checkPlace(declared, (detail) => refuse('at', detail));
  if (!Number.isInteger(cost) || cost < 1 || cost > costMax) refuse('cost', `must be a whole number from 1 to ${costMax}`);
  if (!Number.isSafeInteger(revision) || revision < 0) refuse('revision', 'must be a whole number');
  if (output?.def === undefined) refuse('output', 'is missing: a zod schema of what is answered');
  else checkSchema(output, mistakes, 'output');
  if (input !== undefined) checkInput(declared, input, mistakes);
  checkReads(declared, mistakes);
  for (const host of fetches) if (!isHostName(host)) refuse('fetches', `"${host}" is no name of a host, as in "api.example.com"`);
}

function checkPlace({ of, at }: AnyDeclaration, refuse: (detail: string) => void): void {
  if (typeof at !== 'string') {
    const parts = at.path.split('/').slice(1);
    if (parts.length === 0 || !parts.every(isActionName)) refuse(`must be words of ${words}, as in "/charts/films"`);
    else if (parts[0] === 'live') refuse('"/live" is kept for live feeds; choose another');
    else if (parts[0] === 'usage') refuse('"/usage" is where callers see what they use; choose another');
    return;
  }
  const word = at.startsWith('/:id/') ? at.slice('/:id/'.length) : at.slice(1);
  if (!isActionName(word)) return refuse('must be one word below the resource or a document of it, as in "/top" and "/:id/pay"');
  if (at.startsWith('/:id/')) return undefined;
  if (isReservedName(word)) return refuse(`"${at}" is kept for an operation of every resource; choose another`);
  if (of.mistakes.length === 0 && bodiesOf(of).id.safeParse(word).success) {
    refuse(`a document of "${of.name}" could have "${word}" as its id; choose another word, or narrow the format of the ids`);
  }
}

function checkInput({ answers }: AnyDeclaration, input: z.ZodObject, mistakes: Mistakes): void {
  if (input?.def?.type !== 'object') return mistakes.add('input', 'must be a z.object()');
  checkSchema(input, mistakes, 'input');
  if (answers !== 'state') return;
  for (const [key, type] of Object.entries(input.shape)) {
    if (!isReadable(type)) mistakes.add(`input.${key}`, 'a parameter is a text, a number, true or false; declare a type of one of these');
  }
}

function checkReads({ of, answers, reads = [], audience = 'caller' }: AnyDeclaration, mistakes: Mistakes): void {
  if (audience !== 'caller' && audience !== 'everybody') mistakes.add('audience', 'must be "everybody" or "caller"');
  if (answers === 'effect' && (reads.length > 0 || audience !== 'caller')) {
    mistakes.add(reads.length > 0 ? 'reads' : 'audience', 'is for states, whose answers are cached; an effect reads what it likes');
  }
  for (const { name, internal } of reads) {
    if (internal || name === of.name) mistakes.add('reads', `"${name}" is not another resource that is served`);
  }
}

export function toOwnRule({ of, at, answers, rule }: AnyDeclaration, mistakes: Mistakes): Rule {
  const refuse = (detail: string) => mistakes.add('rule', detail);
  const surroundings = { fields: new Map([...of.fields, ['id', idField(of)] as const]), types: valueTypesOf(of.schema), refuse };
  if (of.mistakes.length > 0) return nobody;
  const made = toRule(rule, nobody, surroundings);
  const speaksOfFields = mentionsOf([made]).fields.size > 0;
  if (speaksOfFields && (answers === 'state' || typeof at !== 'string' || !at.startsWith('/:id/'))) {
    refuse('speaks of a document\'s fields, which is for an effect on a document; what documents are read, their own rules decide');
  }
  return toCanonicalRule(made, (field) => of.fields.get(field)?.kind);
}

/** Exact and by name: what an address says of whose it is, nobody can check. */
export function isHostName(host: unknown): boolean {
  const form = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
  return typeof host === 'string' && host.length <= 253 && form.test(host);
}

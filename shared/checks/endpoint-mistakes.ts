/** What is wrong with an endpoint's declaration: each is noted by its key, and refuses the start. */
import type * as z from 'zod';
import { bodiesOf } from '../contract/documents.ts';
import { idField } from '../contract/id-declarations.ts';
import { isActionName, isReservedName } from '../contract/reserved-names.ts';
import { mentionsOf } from '../contract/rules.ts';
import { valueTypesOf } from '../contract/schema-fields.ts';
import { type AnyDeclaration, type Endpoint, placeOf } from '../operations/endpoint.ts';
import { isReadable } from '../operations/endpoint-query.ts';
import { Mistakes, refuseUnknown } from './mistakes.ts';
import { resourceMistakes } from './resource-mistakes.ts';
import { readRule } from './rule-checks.ts';
import { checkSchema } from './schema-checks.ts';

const keys = [
  'name', 'summary', 'of', 'at', 'method', 'answers', 'rule', 'input', 'output', 'cost', 'reads', 'audience', 'fetches', 'revision',
  'versions',
] as const;
const costMax = 1_000;
const words = 'lower-case letters, digits and hyphens';

export function endpointMistakes({ declared, of }: Endpoint): readonly string[] {
  const mistakes = new Mistakes(placeOf(declared));
  if (declared.of?.schema === undefined) mistakes.add('of', 'must be a resource, as in: of: films');
  if (typeof declared.at !== 'string' && typeof declared.at?.path !== 'string') {
    mistakes.add('at', 'must be a place, as in "/top", "/:id/pay" or { path: "/charts/films" }');
  }
  if (mistakes.found.length > 0) return mistakes.found;
  checkEndpoint(declared, mistakes);
  if (resourceMistakes(of).length === 0) checkRule(declared, mistakes);
  return mistakes.found;
}

/** The types of a declaration are not checked when it runs. */
function checkEndpoint(declared: AnyDeclaration, mistakes: Mistakes): void {
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
  if (resourceMistakes(of).length === 0 && bodiesOf(of).id.safeParse(word).success) {
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

function checkRule({ of, at, answers, rule }: AnyDeclaration, mistakes: Mistakes): void {
  const refuse = (detail: string) => mistakes.add('rule', detail);
  const fields = new Map([...of.fields, ['id', idField(of)] as const]);
  const read = readRule(rule, { fields, types: valueTypesOf(of.schema), refuse });
  const speaksOfFields = mentionsOf([read]).fields.size > 0;
  if (speaksOfFields && (answers === 'state' || typeof at !== 'string' || !at.startsWith('/:id/'))) {
    refuse('speaks of a document\'s fields, which is for an effect on a document; what documents are read, their own rules decide');
  }
}

/** Exact and by name: what an address says of whose it is, nobody can check. */
export function isHostName(host: unknown): boolean {
  const form = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;
  return typeof host === 'string' && host.length <= 253 && form.test(host);
}

/**
 * What is wrong with a resource as it is declared: all of it, each in a line with file, resource and key. What cannot be read of
 * one part is left out where others ask for it.
 */
import { toCanonicalSchema } from '../contract/canonical-schema.ts';
import { isDocumentSchema } from '../contract/document-schema.ts';
import { type Field, toFields } from '../contract/fields.ts';
import { idField, toIdKind } from '../contract/id-declarations.ts';
import { placeOf, type Resource, type ResourceDeclaration, servingChoices } from '../contract/resource.ts';
import { readChoices } from '../contract/resource-reads.ts';
import { validationChoices } from '../contract/resource-validation.ts';
import { fieldsOf, valueTypesOf } from '../contract/schema-fields.ts';
import { checkAggregates } from './aggregate-checks.ts';
import { checkChosen } from './choice-checks.ts';
import { checkDocumentSchema } from './document-schema-checks.ts';
import { checkGivenFields, checkReadonly } from './given-field-checks.ts';
import { checkId } from './id-checks.ts';
import { checkHistory, checkRemoval } from './kept-days-checks.ts';
import { checkLimits } from './limit-checks.ts';
import { Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { whyNoCollection, whyNoInternalName, whyNoName } from './name-checks.ts';
import { checkRelations } from './relation-checks.ts';
import { checkFieldRules, checkRules } from './row-rule-checks.ts';
import { checkShapes } from './shape-checks.ts';
import { checkStoredNames } from './stored-name-checks.ts';
import { checkSystemFields } from './system-field-checks.ts';
import { checkFoldedRule } from './text-checks.ts';
import { checkUniques } from './unique-checks.ts';
import { messageOf } from '../message-of.ts';

const keys = {
  resource: [
    'name', 'collection', 'storedAs', 'internal', 'schema', 'id', 'rules', 'fieldRules', 'readonly', 'immutable', 'defaults', 'shapes',
    'cache', 'outage', 'invalid', 'extra', 'preconditions', 'rev', 'createdAt', 'updatedAt', 'validation', 'reads', 'live', 'limits',
    'revision', 'versions', 'unique', 'removal', 'aggregates', 'relations', 'history'],
  /** What means something for a resource that is stored and not served. */
  internal: ['name', 'internal', 'schema', 'id', 'rev', 'createdAt', 'updatedAt', 'shapes', 'validation', 'reads'],
} as const;

const found = new WeakMap<ResourceDeclaration, readonly string[]>();

export function resourceMistakes({ declared }: Pick<Resource, 'declared'>): readonly string[] {
  const known = found.get(declared) ?? mistakesOf(declared);
  found.set(declared, known);
  return known;
}

function mistakesOf(declared: ResourceDeclaration): readonly string[] {
  const mistakes = new Mistakes(placeOf(declared));
  checkPlain(declared, mistakes);
  try {
    checkParts(declared, mistakes);
  } catch (cause) {
    // Without a schema nothing else can be read, and the types of a declaration are not checked when it runs.
    if (isDocumentSchema(declared.schema)) {
      mistakes.add('declaration', `cannot be read: ${messageOf(cause)}`);
    }
  }
  return mistakes.found;
}

function checkParts(declared: ResourceDeclaration, mistakes: Mistakes): void {
  const objectAt = <T extends object>(key: string, given: T | undefined) => toObject(given, (detail) => mistakes.add(key, detail));
  checkId(declared.id, mistakes);
  const removal = checkRemoval(declared.removal, mistakes);
  const system = checkSystemFields({ ...declared, deletedAt: removal?.at }, mistakes);
  checkDocumentSchema(declared.schema, system, mistakes);
  const schema = toCanonicalSchema(declared.schema);
  const own = toFields(fieldsOf(schema), system);
  const fields: ReadonlyMap<string, Field> = new Map([...own, ['id', idField({ idKind: toReadIdKind(declared) })]]);
  const declaredShapes = objectAt('shapes', declared.shapes);
  const shapes = checkShapes(declaredShapes, fields, mistakes.at('shapes.'));
  if (declared.internal !== true) refuseOnly(declaredShapes, mistakes);
  checkAggregates(objectAt('aggregates', declared.aggregates), { fields, shapes }, mistakes.at('aggregates.'));
  const surroundings = { schema, fields, types: valueTypesOf(schema) };
  const read = checkRules(declared.rules, { ...surroundings, removal, history: declared.history }, mistakes);
  checkFoldedRule(shapes, read, mistakes);
  checkFieldRules(declared, checkReadonly(declared, surroundings, mistakes), surroundings, mistakes);
  checkRelations(declared.relations, surroundings, mistakes);
  checkGivenFields(declared, surroundings, mistakes);
  checkUniques(declared.unique, { fields, removal }, mistakes);
  checkStoredNames({ schema, system, storedAs: objectAt('storedAs', declared.storedAs) }, mistakes);
  checkServing(declared, mistakes);
  checkLimits(objectAt('limits', declared.limits), mistakes.at('limits.'));
  checkChosen(validationChoices, objectAt('validation', declared.validation), mistakes.at('validation.'));
  objectAt('versions', declared.versions);
  checkHistory(declared.history, mistakes);
  checkReads(declared, mistakes);
}

/** What is asked for by one value alone is known of what Tombolo itself asks, and of no caller. */
function refuseOnly(shapes: ResourceDeclaration['shapes'], mistakes: Mistakes): void {
  for (const [name, shape] of Object.entries(shapes)) {
    if (shape?.only !== undefined) mistakes.add(`shapes.${name}.only`, 'is for internal resources alone');
  }
}

/** Where the id cannot be read, the kind of those that documents have unless said. */
function toReadIdKind({ id = 'uuid' }: ResourceDeclaration): Resource['idKind'] {
  const unread = new Mistakes('');
  checkId(id, unread);
  return unread.found.length > 0 ? 'uuid' : toIdKind(id);
}

function checkServing(declared: ResourceDeclaration, mistakes: Mistakes): void {
  const given = Object.entries(declared).filter(([key, value]) => Object.hasOwn(servingChoices, key) && value !== undefined);
  checkChosen(servingChoices, Object.fromEntries(given), mistakes.at(''));
}

function checkReads({ reads, internal, cache = 'shared' }: ResourceDeclaration, mistakes: Mistakes): void {
  const given = toObject(reads, (detail) => mistakes.add('reads', detail));
  checkChosen(readChoices, given, mistakes.at('reads.'));
  if (given.concern === 'local' && cache === 'shared' && internal !== true) {
    mistakes.add('reads.concern', 'what an election takes back, no change tells the edge: "local" needs cache: "none"');
  }
}

/** What no other part reads closely. */
function checkPlain(declared: ResourceDeclaration, mistakes: Mistakes): void {
  const { name, internal = false, schema, shapes, live = false, revision = 0 } = declared;
  const detail = internal === true ? whyNoInternalName(name) : whyNoName(name);
  if (detail !== undefined) mistakes.add('name', detail);
  const noCollection = declared.collection === undefined ? undefined : whyNoCollection(declared.collection);
  if (noCollection !== undefined) mistakes.add('collection', noCollection);
  if (typeof internal !== 'boolean') mistakes.add('internal', 'must be true or false');
  refuseUnknown(declared, internal === true ? keys.internal : keys.resource, mistakes.at(''));
  if (!isDocumentSchema(schema)) mistakes.add('schema', 'must be a z.object() or a z.discriminatedUnion() of them');
  if (shapes === undefined) mistakes.add('shapes', 'is missing: what can be asked for is declared, as in { all: {} }');
  if (typeof live !== 'boolean') mistakes.add('live', 'must be true or false');
  if (!Number.isSafeInteger(revision) || revision < 0) mistakes.add('revision', 'must be a whole number');
}

// `$jsonSchema` (draft 4 with bsonType, as MongoDB has it): a yes or no for queries, and the reasons for error 121.
import { fail } from '../errors.ts';
import { isEqual } from '../values/compare.ts';
import { keyOf } from '../values/key-string.ts';
import { type Doc, isDoc, isNumeric, toNumber, TYPE_NUMBERS, typeOf } from '../values/types.ts';

type Detail = Doc;

const JSON_TYPES: Readonly<Record<string, string[]>> = {
  object: ['object'], array: ['array'], string: ['string'], boolean: ['bool'], null: ['null'], number: ['int', 'long', 'double', 'decimal'],
};
const REFUSED = ['$ref', '$schema', 'default', 'definitions', 'format', 'id'];
const KNOWN = new Set(['bsonType', 'type', 'properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties', 'maxProperties', 'dependencies', 'items', 'additionalItems', 'minItems', 'maxItems', 'uniqueItems', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern', 'enum', 'allOf', 'anyOf', 'oneOf', 'not', 'title', 'description']);

export function schemaTest(schema: Doc): (doc: unknown) => boolean {
  checkSchema(schema);
  return doc => explainSchema(schema, doc).length === 0;
}

function checkSchema(schema: Doc): void {
  for (const word of Object.keys(schema)) {
    if (REFUSED.includes(word)) throw fail('FailedToParse', `$jsonSchema keyword '${word}' is not currently supported`);
    if (!KNOWN.has(word)) throw fail('FailedToParse', `Unknown $jsonSchema keyword: ${word}`);
  }
  for (const type of asList(schema['bsonType'])) {
    if (type !== 'number' && !(String(type) in TYPE_NUMBERS)) throw fail('BadValue', `Unknown type name alias: ${String(type)}`);
  }
  for (const type of asList(schema['type'])) if (!(String(type) in JSON_TYPES)) throw fail(type === 'integer' ? 'FailedToParse' : 'BadValue', `Unknown type name alias: ${String(type)}`);
  for (const word of ['properties', 'patternProperties']) for (const inner of Object.values(schema[word] ?? {})) if (isDoc(inner)) checkSchema(inner);
  for (const word of ['allOf', 'anyOf', 'oneOf']) for (const inner of asList(schema[word])) if (isDoc(inner)) checkSchema(inner);
  for (const word of ['not', 'items', 'additionalItems', 'additionalProperties']) for (const inner of asList(schema[word])) if (isDoc(inner)) checkSchema(inner);
}

const asList = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

// The rules that a value breaks, in the shape of `errInfo.details.schemaRulesNotSatisfied`.
export function explainSchema(schema: Doc, value: unknown): Detail[] {
  const out: Detail[] = [];
  const broken = (operatorName: string, reason: string, more: Doc = {}): void => { out.push({ operatorName, specifiedAs: { [operatorName]: schema[operatorName] }, reason, ...more }); };
  const type = typeOf(value);
  const types = asList(schema['bsonType']);
  if (types.length && !types.some(name => name === type || (name === 'number' && isNumeric(value)))) broken('bsonType', 'type did not match', { consideredValue: value, consideredType: type });
  const jsonTypes = asList(schema['type']);
  if (jsonTypes.length && !jsonTypes.some(name => JSON_TYPES[String(name)]?.includes(type))) broken('type', 'type did not match', { consideredValue: value, consideredType: type });
  if (Array.isArray(schema['enum']) && !schema['enum'].some(item => isEqual(item, value))) broken('enum', 'value was not found in enum', { consideredValue: value });
  if (isDoc(value)) objectRules(schema, value, out, broken);
  else if (Array.isArray(value)) arrayRules(schema, value, out, broken);
  else if (typeof value === 'string') stringRules(schema, value, broken);
  else if (isNumeric(value)) numberRules(schema, value, broken);
  logicRules(schema, value, out, broken);
  return out;
}

type Broken = (operatorName: string, reason: string, more?: Doc) => void;

function objectRules(schema: Doc, value: Doc, out: Detail[], broken: Broken): void {
  const missing = asList(schema['required']).filter(name => !Object.hasOwn(value, String(name)));
  if (missing.length) out.push({ operatorName: 'required', specifiedAs: { required: schema['required'] }, missingProperties: missing });
  const names = Object.keys(value);
  const properties = isDoc(schema['properties']) ? schema['properties'] : {};
  const failing = Object.entries(properties).flatMap(([propertyName, inner]) => {
    if (!Object.hasOwn(value, propertyName) || !isDoc(inner)) return [];
    const details = explainSchema(inner, value[propertyName]);
    return details.length ? [{ propertyName, ...(inner['description'] === undefined ? {} : { description: inner['description'] }), details }] : [];
  });
  if (failing.length) out.push({ operatorName: 'properties', propertiesNotSatisfied: failing });
  const patterns = Object.entries(isDoc(schema['patternProperties']) ? schema['patternProperties'] : {}).map(([source, inner]) => [new RegExp(source), inner] as const);
  const misfits = patterns.flatMap(([pattern, inner]) => names.filter(name => pattern.test(name) && isDoc(inner) && explainSchema(inner, value[name]).length));
  if (misfits.length) broken('patternProperties', 'properties did not match', { propertyNames: misfits });
  const additional = names.filter(name => !Object.hasOwn(properties, name) && !patterns.some(([pattern]) => pattern.test(name)));
  const rule = schema['additionalProperties'];
  if (rule === false && additional.length) out.push({ operatorName: 'additionalProperties', specifiedAs: { additionalProperties: false }, additionalProperties: additional });
  if (isDoc(rule) && additional.some(name => explainSchema(rule, value[name]).length)) broken('additionalProperties', 'additional properties did not match');
  if (names.length < (toNumber(schema['minProperties']) ?? 0)) broken('minProperties', 'specified number of properties was not satisfied', { numberOfProperties: names.length });
  if (names.length > (toNumber(schema['maxProperties']) ?? Infinity)) broken('maxProperties', 'specified number of properties was not satisfied', { numberOfProperties: names.length });
  for (const [name, needs] of Object.entries(isDoc(schema['dependencies']) ? schema['dependencies'] : {})) {
    if (value[name] === undefined) continue;
    if (Array.isArray(needs) ? needs.some(need => value[String(need)] === undefined) : isDoc(needs) && explainSchema(needs, value).length) broken('dependencies', 'dependency was not satisfied');
  }
}

function arrayRules(schema: Doc, value: unknown[], out: Detail[], broken: Broken): void {
  const { items, additionalItems } = schema;
  if (value.length < (toNumber(schema['minItems']) ?? 0)) broken('minItems', 'array did not match specified length', { consideredValue: value });
  if (value.length > (toNumber(schema['maxItems']) ?? Infinity)) broken('maxItems', 'array did not match specified length', { consideredValue: value });
  if (schema['uniqueItems'] === true && new Set(value.map(item => keyOf(item))).size !== value.length) broken('uniqueItems', 'found a duplicate item', { consideredValue: value });
  const schemaFor = (i: number): unknown => (Array.isArray(items) ? items[i] ?? additionalItems : items);
  for (let i = 0; i < value.length; i++) {
    const inner = schemaFor(i);
    if (inner === false) { broken('additionalItems', 'found additional items'); return; }
    const details = isDoc(inner) ? explainSchema(inner, value[i]) : [];
    if (details.length) { out.push({ operatorName: 'items', reason: 'At least one item did not match the sub-schema', itemIndex: i, details }); return; }
  }
}

function stringRules(schema: Doc, value: string, broken: Broken): void {
  const length = [...value].length;
  if (length < (toNumber(schema['minLength']) ?? 0)) broken('minLength', 'specified string length was not satisfied', { consideredValue: value });
  if (length > (toNumber(schema['maxLength']) ?? Infinity)) broken('maxLength', 'specified string length was not satisfied', { consideredValue: value });
  if (typeof schema['pattern'] === 'string' && !new RegExp(schema['pattern']).test(value)) broken('pattern', 'regular expression did not match', { consideredValue: value });
}

function numberRules(schema: Doc, value: unknown, broken: Broken): void {
  const number = toNumber(value) as number;
  const [low, high, step] = [schema['minimum'], schema['maximum'], schema['multipleOf']].map(toNumber);
  if (low !== undefined && (schema['exclusiveMinimum'] === true ? number <= low : number < low)) broken('minimum', 'comparison failed', { consideredValue: value });
  if (high !== undefined && (schema['exclusiveMaximum'] === true ? number >= high : number > high)) broken('maximum', 'comparison failed', { consideredValue: value });
  if (step !== undefined && number % step !== 0) broken('multipleOf', 'considered value is not a multiple of the specified value', { consideredValue: value });
}

function logicRules(schema: Doc, value: unknown, out: Detail[], broken: Broken): void {
  const failing = (list: unknown): Doc[] => asList(list).flatMap((inner, index) => {
    const details = isDoc(inner) ? explainSchema(inner, value) : [];
    return details.length ? [{ index, details }] : [];
  });
  if (schema['allOf'] && failing(schema['allOf']).length) out.push({ operatorName: 'allOf', schemasNotSatisfied: failing(schema['allOf']) });
  const count = (word: string): number => asList(schema[word]).length - failing(schema[word]).length;
  if (schema['anyOf'] && count('anyOf') === 0) out.push({ operatorName: 'anyOf', schemasNotSatisfied: failing(schema['anyOf']) });
  if (schema['oneOf'] && count('oneOf') !== 1) out.push(count('oneOf') === 0 ? { operatorName: 'oneOf', schemasNotSatisfied: failing(schema['oneOf']) } : { operatorName: 'oneOf', reason: 'more than one subschema matched' });
  if (isDoc(schema['not']) && explainSchema(schema['not'], value).length === 0) broken('not', 'child expression matched');
}

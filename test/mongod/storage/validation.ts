// A collection's validator: why a document fails it, in the shape of `errInfo.details`, or null.
import { compileFilter } from '../query/match.ts';
import { explainSchema } from '../query/json-schema.ts';
import { valueAt } from '../values/paths.ts';
import { type Doc, isDoc } from '../values/types.ts';

export function compileValidator(validator: unknown): ((doc: Doc) => Doc | null) | null {
  if (!isDoc(validator) || Object.keys(validator).length === 0) return null;
  const test = compileFilter(validator);
  return doc => (test(doc) ? null : explain(validator, doc));
}

function explain(validator: Doc, doc: Doc): Doc {
  const clauses = Object.entries(validator).flatMap(([name, operand]) => clause(name, operand, doc));
  return clauses.length === 1 ? clauses[0] as Doc : { operatorName: '$and', clausesNotSatisfied: clauses.map((details, index) => ({ index, details })) };
}

function clause(name: string, operand: unknown, doc: Doc): Doc[] {
  if (compileFilter({ [name]: operand })(doc)) return [];
  if (name === '$jsonSchema' && isDoc(operand)) {
    const title = operand['title'] === undefined ? {} : { title: operand['title'] };
    const description = operand['description'] === undefined ? {} : { description: operand['description'] };
    return [{ operatorName: '$jsonSchema', ...title, ...description, schemaRulesNotSatisfied: explainSchema(operand, doc) }];
  }
  if (name === '$and' && Array.isArray(operand)) return operand.filter(isDoc).flatMap(inner => Object.entries(inner).flatMap(([field, value]) => clause(field, value, doc)));
  if (name.startsWith('$')) return [{ operatorName: name, specifiedAs: { [name]: operand }, reason: 'expression did not match' }];
  const considered = valueAt(doc, name);
  const operator = isDoc(operand) && Object.keys(operand)[0]?.startsWith('$') ? Object.keys(operand)[0] as string : '$eq';
  return [{ operatorName: operator, specifiedAs: { [name]: operand }, ...(considered === undefined ? { reason: 'field was missing' } : { reason: operator === '$type' ? 'type did not match' : 'comparison failed', consideredValue: considered }) }];
}

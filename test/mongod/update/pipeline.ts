// The stages that an update pipeline may hold.
import { fail } from '../errors.ts';
import { compileExpression } from '../query/expression.ts';
import type { MatchContext } from '../query/match.ts';
import { compileAddFields, compileProjection, type Projection } from '../query/projection.ts';
import { type Doc, isDoc } from '../values/types.ts';

export function updatePipeline(stages: unknown[], context: MatchContext): Projection {
  const steps = stages.map(stage => {
    const name = isDoc(stage) ? Object.keys(stage)[0] : undefined;
    if (!isDoc(stage) || name === undefined || Object.keys(stage).length !== 1) throw fail(40323, 'A pipeline stage specification object must contain exactly one field.');
    return compileShaping(name, stage[name], context) ?? refuse(name);
  });
  return doc => {
    const out = steps.reduce((at, step) => step(at), doc);
    return '_id' in out || doc['_id'] === undefined ? out : { _id: doc['_id'], ...out };
  };
}

function refuse(name: string): never {
  throw fail(72, `${name} is not allowed to be used within an update`);
}

// $set, $unset, $project, $replaceWith and their other names: one document in, one out.
export function compileShaping(name: string, spec: unknown, context: MatchContext): Projection | null {
  switch (name) {
    case '$set': case '$addFields': return compileAddFields(spec, context);
    case '$unset': {
      const names = Array.isArray(spec) ? spec : [spec];
      if (!names.length || names.some(item => typeof item !== 'string')) throw fail(31002, '$unset specification must be a string or an array');
      return compileProjection(Object.fromEntries(names.map(item => [item as string, 0])), context);
    }
    case '$project': return compileProjection(spec, context);
    case '$replaceRoot': return isDoc(spec) && 'newRoot' in spec ? newRoot(spec['newRoot'], context) : refuse('$replaceRoot without newRoot');
    case '$replaceWith': return newRoot(spec, context);
    default: return null;
  }
}

function newRoot(expression: unknown, context: MatchContext): Projection {
  const evaluate = compileExpression(expression, context.variables, context.collation);
  return doc => {
    const value = evaluate({ root: doc, vars: context.variables });
    if (!isDoc(value)) throw fail(40228, `'newRoot' expression must evaluate to an object, but resulting value was: ${value === undefined ? 'MISSING' : JSON.stringify(value)}`);
    return value as Doc;
  };
}

// Stages that bring in other documents: $lookup, $graphLookup, $unionWith, $facet.
import { fail } from '../errors.ts';
import { compileExpression } from '../query/expression.ts';
import { compileFilter } from '../query/match.ts';
import { keyOf } from '../values/key-string.ts';
import { expressionValueAt } from '../values/paths.ts';
import { type Doc, isDoc, toNumber } from '../values/types.ts';
import { compileStages, type PipelineContext, runStages, type Stage } from './stages.ts';
import { compileAddFields } from '../query/projection.ts';

function setter(path: unknown, context: PipelineContext): (doc: Doc, value: unknown) => Doc {
  if (typeof path !== 'string') throw fail('FailedToParse', "'as' must be a string");
  if (!path.includes('.')) return (doc, value) => ({ ...doc, [path]: value });
  return (doc, value) => compileAddFields({ [path]: { $literal: value } }, context)(doc);
}

export function lookup(spec: unknown, context: PipelineContext): Stage {
  if (!isDoc(spec)) throw fail('FailedToParse', 'the $lookup specification must be an Object');
  const { from, localField, foreignField, as, let: bindings = {}, pipeline } = spec;
  const put = setter(as, context);
  if (typeof from !== 'string') throw fail('NotImplemented', '$lookup without a collection of the same database is refused by this test server');
  if ((localField === undefined) !== (foreignField === undefined)) throw fail('FailedToParse', '$lookup requires both or neither of localField and foreignField');
  const vars = Object.entries(bindings as Doc).map(([name, expression]) => [name, compileExpression(expression, context.variables, context.collation)] as const);
  return docs => (function* () {
    for (const doc of docs) {
      context.tick();
      const bound = { ...context.variables, ...Object.fromEntries(vars.map(([name, evaluate]) => [name, evaluate({ root: doc, vars: context.variables }) ?? null])) };
      let found: Iterable<Doc>;
      if (localField === undefined) found = context.collectionDocs(from, pipeline as Doc[], bound);
      else {
        const value = expressionValueAt(doc, String(localField).split('.'));
        const matches = context.findBy(from, String(foreignField), Array.isArray(value) ? value : [value ?? null]);
        found = pipeline ? runStages(matches, compileStages(pipeline, { ...context, variables: bound })) : matches;
      }
      yield put(doc, [...found]);
    }
  })();
}

export function graphLookup(spec: unknown, context: PipelineContext): Stage {
  if (!isDoc(spec)) throw fail('FailedToParse', 'the $graphLookup stage specification must be an object');
  const { from, startWith, connectFromField, connectToField, as, maxDepth, depthField, restrictSearchWithMatch } = spec;
  const start = compileExpression(startWith, context.variables, context.collation);
  const put = setter(as, context);
  const test = restrictSearchWithMatch ? compileFilter(restrictSearchWithMatch, context) : () => true;
  const depthMax = toNumber(maxDepth) ?? Infinity;
  return docs => Array.from(docs, doc => {
    const found = new Map<string, Doc>();
    let frontier = listOf(start({ root: doc, vars: context.variables }));
    for (let depth = 0; depth <= depthMax && frontier.length; depth++) {
      const next: unknown[] = [];
      for (const match of context.findBy(String(from), String(connectToField), frontier)) {
        const key = keyOf(match['_id']);
        if (found.has(key) || !test(match)) continue;
        found.set(key, typeof depthField === 'string' ? { ...match, [depthField]: BigInt(depth) } : match);
        next.push(...listOf(expressionValueAt(match, String(connectFromField).split('.'))));
      }
      frontier = next;
    }
    return put(doc, [...found.values()]);
  });
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

export function unionWith(spec: unknown, context: PipelineContext): Stage {
  const { coll, pipeline = [] } = isDoc(spec) ? spec : { coll: spec };
  return docs => (function* () {
    yield* docs;
    yield* context.collectionDocs(String(coll), pipeline as Doc[], context.variables);
  })();
}

export function facet(spec: unknown, context: PipelineContext): Stage {
  if (!isDoc(spec) || Object.keys(spec).length === 0) throw fail(40169, 'the $facet specification must be a non-empty object');
  const facets = Object.entries(spec).map(([name, pipeline]) => [name, compileStages(pipeline, context)] as const);
  return docs => {
    const all = [...docs];
    return [Object.fromEntries(facets.map(([name, stages]) => [name, [...runStages(all, stages)]]))];
  };
}

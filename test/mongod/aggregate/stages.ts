// Pipeline stages over a stream of documents. What is not here is run by mingo, or refused.
import { fail } from '../errors.ts';
import { compileExpression } from '../query/expression.ts';
import { compileFilter, type MatchContext } from '../query/match.ts';
import { borrowedStage } from '../query/mingo.ts';
import { parseSort, sortDocs } from '../query/sort.ts';
import { compileShaping } from '../update/pipeline.ts';
import { keyOf } from '../values/key-string.ts';
import { type Doc, isDoc, toNumber } from '../values/types.ts';
import { valueAt } from '../values/paths.ts';
import { accumulatorFor } from './accumulators.ts';
import { facet, graphLookup, lookup, unionWith } from './joins.ts';

export type Stage = (docs: Iterable<Doc>) => Iterable<Doc>;

// What a pipeline may reach: other collections of the database, the clock of the operation, randomness.
export type PipelineContext = MatchContext & {
  db: string;
  tick(): void;
  random(): number;
  collectionDocs(name: string, pipeline: Doc[], variables: Doc): Iterable<Doc>;
  findBy(name: string, path: string, values: unknown[]): Iterable<Doc>;
};

export function compileStages(pipeline: unknown, context: PipelineContext): Stage[] {
  if (!Array.isArray(pipeline)) throw fail('TypeMismatch', "'pipeline' option must be specified as an array");
  return pipeline.map(stage => {
    if (!isDoc(stage)) throw fail('TypeMismatch', "Each element of the 'pipeline' array must be an object");
    const [name, ...more] = Object.keys(stage);
    if (name === undefined || more.length) throw fail(40323, 'A pipeline stage specification object must contain exactly one field.');
    return compileStage(name, stage[name], context);
  });
}

export const runStages = (docs: Iterable<Doc>, stages: Stage[]): Iterable<Doc> => stages.reduce((at, stage) => stage(at), docs);

const BORROWED = new Set(['$bucketAuto', '$densify', '$fill', '$redact', '$setWindowFields']);
const REFUSED = new Set(['$geoNear', '$search', '$searchMeta', '$vectorSearch', '$listSearchIndexes', '$planCacheStats', '$shardedDataDistribution']);

function compileStage(name: string, spec: unknown, context: PipelineContext): Stage {
  const shaping = compileShaping(name, spec, context);
  if (shaping) return docs => mapped(docs, shaping);
  switch (name) {
    case '$match': { const test = compileFilter(spec, context); return docs => filtered(docs, test); }
    case '$sort': {
      if (isDoc(spec) && Object.keys(spec).length === 0) throw fail(15976, '$sort stage must have at least one sort key');
      const fields = parseSort(spec);
      return docs => sortDocs(docs, doc => doc, fields, context.collation);
    }
    case '$limit': { const n = positive(spec, '$limit', 15958); return docs => limited(docs, n); }
    case '$skip': { const n = toNumber(spec) ?? -1; if (n < 0) throw fail(5107200, 'invalid argument to $skip stage'); return docs => skipped(docs, n); }
    case '$count': return counted(spec);
    case '$group': return group(spec, context);
    case '$unwind': return unwind(spec);
    case '$sortByCount': return docs => runStages(docs, compileStages([{ $group: { _id: spec, count: { $sum: 1 } } }, { $sort: { count: -1 } }], context));
    case '$bucket': return bucket(spec, context);
    case '$sample': return docs => sample([...docs], toNumber((spec as Doc)['size']) ?? 0, context);
    case '$facet': return facet(spec, context);
    case '$lookup': return lookup(spec, context);
    case '$graphLookup': return graphLookup(spec, context);
    case '$unionWith': return unionWith(spec, context);
    case '$changeStream': throw fail(40602, '$changeStream is only valid as the first stage in a pipeline');
    case '$out': case '$merge': throw fail(40601, `${name} can only be the final stage in the pipeline`);
    case '$documents': throw fail(40602, '$documents is only valid as the first stage in a pipeline');
    case '$changeStreamSplitLargeEvent': throw fail('IllegalOperation', '$changeStreamSplitLargeEvent stage is only allowed in a change stream');
    default: break;
  }
  if (REFUSED.has(name)) throw fail('NotImplemented', `${name} is refused by this test server`);
  if (!BORROWED.has(name)) throw fail(40324, `Unrecognized pipeline stage name: '${name}'`);
  return docs => borrowedStage(name, spec, [...docs], collection => [...context.collectionDocs(collection, [], {})]);
}

function* mapped(docs: Iterable<Doc>, shape: (doc: Doc) => Doc): Generator<Doc> {
  for (const doc of docs) yield shape(doc);
}

function* filtered(docs: Iterable<Doc>, test: (doc: Doc) => boolean): Generator<Doc> {
  for (const doc of docs) if (test(doc)) yield doc;
}

function* limited(docs: Iterable<Doc>, n: number): Generator<Doc> {
  let left = n;
  for (const doc of docs) { yield doc; if (--left === 0) return; }
}

function* skipped(docs: Iterable<Doc>, n: number): Generator<Doc> {
  let passed = 0;
  for (const doc of docs) if (passed++ >= n) yield doc;
}

function positive(spec: unknown, name: string, code: number): number {
  const n = toNumber(spec);
  if (n === undefined || !Number.isInteger(n) || n <= 0) throw fail(code, `the ${name.slice(1)} must be positive`);
  return n;
}

function counted(spec: unknown): Stage {
  if (typeof spec !== 'string' || spec === '' || spec.startsWith('$') || spec.includes('.')) throw fail(40156, 'the count field must be a non-empty string');
  return docs => {
    let n = 0;
    for (const _ of docs) n++;
    return n ? [{ [spec]: n }] : [];
  };
}

function group(spec: unknown, context: PipelineContext): Stage {
  if (!isDoc(spec)) throw fail(15947, "a group's fields must be specified in an object");
  if (!('_id' in spec)) throw fail(15955, 'a group specification must include an _id');
  const id = compileExpression(spec['_id'], context.variables, context.collation);
  const fields = Object.entries(spec).filter(([name]) => name !== '_id').map(([name, inner]) => {
    if (name.includes('.')) throw fail(40235, `The field name '${name}' cannot contain '.'`);
    const [operator, ...more] = isDoc(inner) ? Object.keys(inner) : [];
    if (!isDoc(inner) || operator === undefined || more.length) throw fail(40234, `The field '${name}' must be an accumulator object`);
    return [name, accumulatorFor(operator, inner[operator], context)] as const;
  });
  return docs => {
    const groups = new Map<string, { id: unknown; accumulators: ReturnType<(typeof fields)[number][1]>[] }>();
    let steps = 0;
    for (const doc of docs) {
      if ((++steps & 127) === 0) context.tick();
      const value = id({ root: doc, vars: context.variables }) ?? null;
      const key = keyOf(value, context.collation);
      let found = groups.get(key);
      if (!found) { found = { id: value, accumulators: fields.map(([, make]) => make()) }; groups.set(key, found); }
      for (const accumulator of found.accumulators) accumulator.add(doc);
    }
    return Array.from(groups.values(), ({ id: _id, accumulators }) => {
      const out: Doc = { _id };
      fields.forEach(([name], i) => { out[name] = accumulators[i]?.value(); });
      return out;
    });
  };
}

function unwind(spec: unknown): Stage {
  const options = isDoc(spec) ? spec : { path: spec };
  const path = options['path'];
  if (typeof path !== 'string' || !path.startsWith('$')) throw fail(28818, `path option to $unwind stage should be prefixed with a '$': ${String(path)}`);
  const parts = path.slice(1).split('.');
  const indexName = options['includeArrayIndex'];
  const keep = options['preserveNullAndEmptyArrays'] === true;
  return docs => (function* () {
    for (const doc of docs) {
      const value = valueAt(doc, path.slice(1));
      const at = (item: unknown, i: bigint | null): Doc => { const out = replaced(doc, parts, item); if (typeof indexName === 'string') out[indexName] = i; return out; };
      if (Array.isArray(value)) {
        if (value.length === 0 && keep) yield at(undefined, null);
        for (let i = 0; i < value.length; i++) yield at(value[i], BigInt(i));
      } else if (value !== undefined && value !== null) yield at(value, null);
      else if (keep) yield typeof indexName === 'string' ? { ...doc, [indexName]: null } : doc;
    }
  })();
}

function replaced(doc: Doc, [name, ...rest]: string[], value: unknown): Doc {
  const out = { ...doc };
  const next = rest.length ? replaced(isDoc(doc[name as string]) ? doc[name as string] as Doc : {}, rest, value) : value;
  if (next === undefined) delete out[name as string];
  else out[name as string] = next;
  return out;
}

function bucket(spec: unknown, context: PipelineContext): Stage {
  const { groupBy, boundaries, default: otherwise, output = { count: { $sum: 1 } } } = spec as Doc;
  if (!Array.isArray(boundaries) || boundaries.length < 2) throw fail(40192, "The $bucket 'boundaries' field must have at least 2 values");
  const branches = boundaries.slice(0, -1).map((low, i) => ({ case: { $and: [{ $gte: [groupBy, { $literal: low }] }, { $lt: [groupBy, { $literal: boundaries[i + 1] }] }] }, then: { $literal: low } }));
  const id = { $switch: { branches, ...(otherwise === undefined ? {} : { default: { $literal: otherwise } }) } };
  return docs => runStages(docs, compileStages([{ $group: { _id: id, ...output as Doc } }, { $sort: { _id: 1 } }], context));
}

function sample(docs: Doc[], size: number, { random }: PipelineContext): Doc[] {
  for (let i = 0; i < Math.min(size, docs.length); i++) {
    const j = i + Math.floor(random() * (docs.length - i));
    [docs[i], docs[j]] = [docs[j] as Doc, docs[i] as Doc];
  }
  return docs.slice(0, size);
}

// The border to mingo: what own code does not evaluate is evaluated there, over plain values.
//
// Going in, integral doubles and int64s become numbers (an int64 past 2^53 and a decimal are refused rather than
// rounded); coming out, whole numbers are ints. Operands are evaluated here and handed over as variables.
import { BSONRegExp, Decimal128, Double } from 'bson';
import { Context } from 'mingo/core';
import * as accumulators from 'mingo/operators/accumulator';
import * as expressions from 'mingo/operators/expression';
import * as pipelines from 'mingo/operators/pipeline';
import * as projections from 'mingo/operators/projection';
import * as queries from 'mingo/operators/query';
import * as windows from 'mingo/operators/window';
import { Aggregator } from 'mingo/aggregator';
import { evalExpr, ProcessingMode } from 'mingo/core';
import { fail } from '../errors.ts';
import { type Doc, isDoc } from '../values/types.ts';
import { compileRegex } from './filter.ts';
import type { Compiler, Evaluate } from './expression.ts';

const context = Context.init({ accumulator: accumulators, expression: expressions, pipeline: pipelines, projection: projections, query: queries, window: windows } as unknown as Parameters<typeof Context.init>[0]);
const OPTIONS = { idKey: '_id', context, scriptEnabled: false, useStrictMode: true, failOnError: true, processingMode: ProcessingMode.CLONE_OFF };
const REFUSED = new Set(['$function', '$accumulator', '$where', '$meta', '$toHashedIndexKey', '$jsonSchema']);

export function borrowed(name: string, operand: unknown, compiler: Compiler): Evaluate {
  if (REFUSED.has(name)) throw fail('NotImplemented', `${name} is refused by this test server`);
  if (!(name in expressions)) throw fail('InvalidPipelineOperator', `Unrecognized expression '${name}'`);
  const slots: Evaluate[] = [];
  const slot = (inner: unknown): string => `$$v${slots.push(compiler.compile(inner)) - 1}`;
  const shape = Array.isArray(operand) ? operand.map(slot) : isDoc(operand) && !Object.keys(operand).some(key => key.startsWith('$'))
    ? Object.fromEntries(Object.entries(operand).map(([key, inner]) => [key, slot(inner)])) : slot(operand);
  return scope => {
    const variables = Object.fromEntries(slots.map((evaluate, i) => [`v${i}`, toPlain(evaluate(scope))]));
    return guarded(() => fromPlain(evalExpr({}, { [name]: shape }, { ...OPTIONS, variables })));
  };
}

export function borrowedStage(name: string, spec: unknown, docs: Doc[], resolver: (name: string) => Doc[]): Doc[] {
  if (!(name in pipelines)) throw fail(40324, `Unrecognized pipeline stage name: '${name}'`);
  const collectionResolver = (collection: string): Doc[] => resolver(collection).map(doc => toPlain(doc) as Doc);
  return guarded(() => new Aggregator([{ [name]: toPlain(spec) as Doc }], { ...OPTIONS, collectionResolver })
    .run(docs.map(doc => toPlain(doc) as Doc)).map(doc => fromPlain(doc) as Doc));
}

function guarded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error && !('code' in error)) throw fail('BadValue', error.message);
    throw error;
  }
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') {
    if (!Number.isSafeInteger(Number(value))) throw fail('NotImplemented', `an int64 past 2^53 in this operator is refused by this test server`);
    return Number(value);
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (value instanceof Double) return value.value;
  if (value instanceof Decimal128) throw fail('NotImplemented', 'a decimal in this operator is refused by this test server');
  if (value instanceof BSONRegExp) return compileRegex(value);
  if (!isDoc(value)) return value;
  const out: Doc = {};
  for (const name of Object.keys(value)) out[name] = toPlain(value[name]);
  return out;
}

function fromPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof RegExp) return new BSONRegExp(value.source, value.flags.replace(/[^imsx]/g, ''));
  if (Array.isArray(value)) return value.map(item => fromPlain(item) ?? null);
  if (!isDoc(value)) return value;
  const out: Doc = {};
  for (const name of Object.keys(value)) if (value[name] !== undefined) out[name] = fromPlain(value[name]);
  return out;
}

// $group's accumulators.
import { fail } from '../errors.ts';
import { compileExpression } from '../query/expression.ts';
import type { MatchContext } from '../query/match.ts';
import { sortKey, parseSort } from '../query/sort.ts';
import { add, divide, numericOrNull } from '../values/arithmetic.ts';
import { compareValues } from '../values/compare.ts';
import { keyOf } from '../values/key-string.ts';
import { type Doc, isDoc, toDouble, toNumber } from '../values/types.ts';

type Accumulator = { add(doc: Doc): void; value(): unknown };
type AccumulatorFactory = () => Accumulator;

const isNil = (value: unknown): boolean => value === null || value === undefined;

export function accumulatorFor(name: string, operand: unknown, context: MatchContext): AccumulatorFactory {
  const ranked = RANKED[name];
  if (ranked) return rankedFactory(name, operand, context, ranked);
  const simple = SIMPLE[name];
  if (!simple) throw fail(15952, `unknown group operator '${name}'`);
  if (name === '$count' && isDoc(operand) && Object.keys(operand).length === 0) return simple.bind(null, () => 1);
  const evaluate = compileExpression(operand, context.variables, context.collation);
  return () => simple(doc => evaluate({ root: doc, vars: context.variables }));
}

type Input = (doc: Doc) => unknown;

function folding(initial: unknown, step: (state: unknown, value: unknown) => unknown, finish: (state: unknown) => unknown = state => state): (input: Input) => Accumulator {
  return input => { let state = initial; return { add: doc => { state = step(state, input(doc)); }, value: () => finish(state) }; };
}

const deviation = (sample: boolean) => (input: Input): Accumulator => {
  const seen: number[] = [];
  return {
    add: doc => { const value = input(doc); if (numericOrNull(value)) seen.push(toNumber(value) as number); },
    value: () => {
      if (seen.length < (sample ? 2 : 1)) return null;
      const mean = seen.reduce((sum, value) => sum + value, 0) / seen.length;
      return toDouble(Math.sqrt(seen.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (seen.length - (sample ? 1 : 0))));
    },
  };
};

const SIMPLE: Readonly<Record<string, (input: Input) => Accumulator>> = {
  $sum: folding(0, (sum, value) => (numericOrNull(value) ? add(sum, value) : sum)),
  $count: folding(0, sum => (sum as number) + 1),
  $avg: input => {
    let sum: unknown = 0;
    let n = 0;
    return { add: doc => { const value = input(doc); if (numericOrNull(value)) { sum = add(sum, value); n++; } }, value: () => (n ? divide(sum, n) : null) };
  },
  $min: folding(undefined, (best, value) => (isNil(value) ? best : best === undefined || compareValues(value, best) < 0 ? value : best), best => best ?? null),
  $max: folding(undefined, (best, value) => (isNil(value) ? best : best === undefined || compareValues(value, best) > 0 ? value : best), best => best ?? null),
  $first: input => { let first: unknown; let seen = false; return { add: doc => { if (!seen) { first = input(doc); seen = true; } }, value: () => first ?? null }; },
  $last: folding(null, (_, value) => value ?? null),
  $push: input => { const out: unknown[] = []; return { add: doc => { const value = input(doc); if (value !== undefined) out.push(value); }, value: () => out }; },
  $addToSet: input => { const out = new Map<string, unknown>(); return { add: doc => { const value = input(doc); if (value !== undefined) { const key = keyOf(value); if (!out.has(key)) out.set(key, value); } }, value: () => [...out.values()] }; },
  $mergeObjects: folding({}, (state, value) => (isNil(value) ? state : { ...state as Doc, ...value as Doc })),
  $stdDevPop: deviation(false),
  $stdDevSamp: deviation(true),
};

type Ranked = { by: 'order' | 'sort' | 'value'; end: 'first' | 'last'; many: boolean };

const RANKED: Readonly<Record<string, Ranked>> = {
  $firstN: { by: 'order', end: 'first', many: true }, $lastN: { by: 'order', end: 'last', many: true },
  $top: { by: 'sort', end: 'first', many: false }, $topN: { by: 'sort', end: 'first', many: true },
  $bottom: { by: 'sort', end: 'last', many: false }, $bottomN: { by: 'sort', end: 'last', many: true },
  $minN: { by: 'value', end: 'first', many: true }, $maxN: { by: 'value', end: 'last', many: true },
};

function rankedFactory(name: string, operand: unknown, context: MatchContext, { by, end, many }: Ranked): AccumulatorFactory {
  if (!isDoc(operand)) throw fail(5787900, `specification must be an object; found ${name}: ${JSON.stringify(operand)}`);
  const output = compileExpression(operand[by === 'sort' ? 'output' : 'input'], context.variables, context.collation);
  const n = many ? toNumber(operand['n']) ?? 1 : 1;
  const fields = by === 'sort' ? parseSort(operand['sortBy']) : [];
  return () => {
    const items: { key: string; value: unknown }[] = [];
    return {
      add: doc => {
        const value = output({ root: doc, vars: context.variables }) ?? null;
        if (by === 'value' && value === null) return;
        items.push({ value, key: by === 'order' ? '' : by === 'sort' ? sortKey(doc, fields, context.collation) : keyOf(value) });
      },
      value: () => {
        const ordered = by === 'order' ? items : items.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
        const picked = (end === 'first' ? ordered.slice(0, n) : ordered.slice(-n)).map(({ value }) => value);
        return many ? (name === '$maxN' ? picked.reverse() : picked) : picked[0] ?? null;
      },
    };
  };
}

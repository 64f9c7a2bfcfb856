// Expression operators that bind variables or do not evaluate all of their operands.
import { fail } from '../errors.ts';
import { compareValues } from '../values/compare.ts';
import { type Doc, isDoc, isTruthy, toNumber, typeOf } from '../values/types.ts';
import type { Compiler, Evaluate, Scope } from './expression.ts';
import { OPERATORS } from './expression-operators.ts';
import { comparatorFor } from './sort.ts';

type Build = (operand: unknown, compiler: Compiler) => Evaluate;

const isNil = (value: unknown): boolean => value === null || value === undefined;
const bind = (scope: Scope, vars: Doc): Scope => ({ root: scope.root, vars: { ...scope.vars, ...vars } });

function parts(name: string, operand: unknown): Doc {
  if (!isDoc(operand)) throw fail('FailedToParse', `${name} only supports an object as its argument`);
  return operand;
}

function listOf(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw fail(28651, `input to ${name} must be an array not ${typeOf(value)}`);
  return value;
}

const operandsOf = (operand: unknown): unknown[] => (Array.isArray(operand) ? operand : [operand]);

export const SCOPED: Readonly<Record<string, Build>> = {
  $and: (operand, compiler) => { const all = operandsOf(operand).map(item => compiler.compile(item)); return scope => all.every(item => isTruthy(item(scope))); },
  $or: (operand, compiler) => { const all = operandsOf(operand).map(item => compiler.compile(item)); return scope => all.some(item => isTruthy(item(scope))); },
  $cond: (operand, compiler) => {
    const [test, yes, no] = (Array.isArray(operand) ? operand : ['if', 'then', 'else'].map(name => parts('$cond', operand)[name])).map(item => compiler.compile(item)) as [Evaluate, Evaluate, Evaluate];
    return scope => (isTruthy(test(scope)) ? yes(scope) : no(scope));
  },
  $ifNull: (operand, compiler) => {
    const all = operandsOf(operand).map(item => compiler.compile(item));
    return scope => { let value: unknown; for (const item of all) { value = item(scope); if (!isNil(value)) return value; } return value; };
  },
  $switch: (operand, compiler) => {
    const spec = parts('$switch', operand);
    const branches = (spec['branches'] as Doc[]).map(branch => [compiler.compile(branch['case']), compiler.compile(branch['then'])] as const);
    const otherwise = 'default' in spec ? compiler.compile(spec['default']) : null;
    return scope => {
      for (const [test, value] of branches) if (isTruthy(test(scope))) return value(scope);
      if (!otherwise) throw fail(40066, '$switch could not find a matching branch for an input, and no default was specified.');
      return otherwise(scope);
    };
  },
  $let: (operand, compiler) => {
    const spec = parts('$let', operand);
    const vars = Object.entries(spec['vars'] as Doc).map(([name, value]) => [name, compiler.compile(value)] as const);
    const inner = compiler.compile(spec['in'], vars.map(([name]) => name));
    return scope => inner(bind(scope, Object.fromEntries(vars.map(([name, value]) => [name, value(scope)]))));
  },
  $map: (operand, compiler) => {
    const spec = parts('$map', operand);
    const name = String(spec['as'] ?? 'this');
    const input = compiler.compile(spec['input']);
    const inner = compiler.compile(spec['in'], [name]);
    return scope => { const items = input(scope); return isNil(items) ? null : listOf('$map', items).map(item => inner(bind(scope, { [name]: item })) ?? null); };
  },
  $filter: (operand, compiler) => {
    const spec = parts('$filter', operand);
    const name = String(spec['as'] ?? 'this');
    const input = compiler.compile(spec['input']);
    const limit = compiler.compile(spec['limit'] ?? null);
    const test = compiler.compile(spec['cond'], [name]);
    return scope => {
      const items = input(scope);
      return isNil(items) ? null : listOf('$filter', items).filter(item => isTruthy(test(bind(scope, { [name]: item })))).slice(0, toNumber(limit(scope)) ?? Infinity);
    };
  },
  $reduce: (operand, compiler) => {
    const spec = parts('$reduce', operand);
    const input = compiler.compile(spec['input']);
    const initial = compiler.compile(spec['initialValue']);
    const inner = compiler.compile(spec['in'], ['value', 'this']);
    return scope => { const items = input(scope); return isNil(items) ? null : listOf('$reduce', items).reduce((value, item) => inner(bind(scope, { value, this: item })), initial(scope)); };
  },
  $sortArray: (operand, compiler) => {
    const spec = parts('$sortArray', operand);
    const input = compiler.compile(spec['input']);
    const by = spec['sortBy'];
    const order = isDoc(by) ? comparatorFor(by, null) : (a: unknown, b: unknown) => compareValues(a, b) * (toNumber(by) ?? 1);
    return scope => { const items = input(scope); return isNil(items) ? null : listOf('$sortArray', items).toSorted(order as (a: unknown, b: unknown) => number); };
  },
  $getField: (operand, compiler) => {
    const spec = isDoc(operand) && 'field' in operand ? operand : { field: operand, input: '$$CURRENT' };
    const name = compiler.compile(spec['field']);
    const input = compiler.compile(spec['input'] ?? '$$CURRENT');
    return scope => { const value = input(scope); return isDoc(value) ? value[String(name(scope))] : isNil(value) ? value : undefined; };
  },
  $setField: (operand, compiler) => {
    const spec = parts('$setField', operand);
    const [name, input, value] = ['field', 'input', 'value'].map(field => compiler.compile(spec[field])) as [Evaluate, Evaluate, Evaluate];
    return scope => {
      const doc = input(scope);
      if (isNil(doc)) return null;
      const { [String(name(scope))]: _, ...rest } = doc as Doc;
      const set = value(scope);
      return set === undefined ? rest : { ...(doc as Doc), [String(name(scope))]: set };
    };
  },
  $convert: (operand, compiler) => {
    const spec = parts('$convert', operand);
    const input = compiler.compile(spec['input']);
    const [onNull, onError] = ['onNull', 'onError'].map(name => (name in spec ? compiler.compile(spec[name]) : null));
    const to = String(isDoc(spec['to']) ? spec['to']['type'] : spec['to']);
    const operator = OPERATORS[`$to${to === 'objectId' ? 'ObjectId' : (to[0] ?? '').toUpperCase() + to.slice(1)}`];
    if (!operator) throw fail('NotImplemented', `$convert to ${to} is refused by this test server`);
    return scope => {
      const value = input(scope);
      if (isNil(value)) return onNull ? onNull(scope) : null;
      try { return operator.apply([value], null); } catch (error) { if (onError) return onError(scope); throw error; }
    };
  },
};

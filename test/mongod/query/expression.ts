// Aggregation expressions as functions of a scope. Paths, variables and the operators in expression-operators.ts are
// own code, because they keep number types and MongoDB's order; the rest is evaluated by mingo over plain values.
import { fail } from '../errors.ts';
import type { Collation } from '../values/collation.ts';
import { expressionValueAt, pathParts } from '../values/paths.ts';
import { type Doc, isDoc } from '../values/types.ts';
import { OPERATORS } from './expression-operators.ts';
import { SCOPED } from './expression-scoped.ts';
import { borrowed } from './mingo.ts';

export type Variables = Doc;
export type Scope = { root: unknown; vars: Variables };
export type Evaluate = (scope: Scope) => unknown;

export type Compiler = { known: ReadonlySet<string>; collation: Collation | null; compile(expression: unknown, more?: string[]): Evaluate };

const SYSTEM = new Set(['ROOT', 'CURRENT', 'REMOVE', 'NOW', 'CLUSTER_TIME', 'DESCEND', 'PRUNE', 'KEEP', 'SEARCH_META', 'USER_ROLES']);

export function compileExpression(expression: unknown, variables: Variables = {}, collation: Collation | null = null): Evaluate {
  return compilerFor(new Set(Object.keys(variables)), collation).compile(expression);
}

function compilerFor(known: ReadonlySet<string>, collation: Collation | null): Compiler {
  const self: Compiler = {
    known, collation,
    compile: (expression, more) => compile(expression, more ? compilerFor(new Set([...known, ...more]), collation) : self),
  };
  return self;
}

function compile(expression: unknown, compiler: Compiler): Evaluate {
  if (typeof expression === 'string' && expression.startsWith('$')) return compilePath(expression, compiler);
  if (Array.isArray(expression)) {
    const items = expression.map(item => compile(item, compiler));
    return scope => items.map(item => item(scope) ?? null);
  }
  if (!isDoc(expression)) return () => expression;
  const names = Object.keys(expression);
  const first = names[0];
  if (first === undefined || !first.startsWith('$')) return compileObject(expression, compiler);
  if (names.length > 1) throw fail(15983, `an object representing an expression must have exactly one field: ${JSON.stringify(names)}`);
  return compileOperator(first, expression[first], compiler);
}

function compilePath(text: string, { known }: Compiler): Evaluate {
  if (text === '$') throw fail(16872, "'$' by itself is not a valid FieldPath");
  if (!text.startsWith('$$')) {
    const parts = pathParts(text.slice(1));
    if (parts.some(part => part === '')) throw fail(40353, "FieldPath must not end with a '.'.");
    return scope => expressionValueAt(scope.root, parts);
  }
  const [name, ...parts] = text.slice(2).split('.') as [string, ...string[]];
  if (name === 'ROOT' || name === 'CURRENT') return scope => expressionValueAt('CURRENT' in scope.vars && name === 'CURRENT' ? scope.vars['CURRENT'] : 'ROOT' in scope.vars ? scope.vars['ROOT'] : scope.root, parts);
  if (name === 'REMOVE') return () => undefined;
  if (!SYSTEM.has(name) && !known.has(name)) throw fail(17276, `Use of undefined variable: ${name}`);
  if (name === 'DESCEND' || name === 'PRUNE' || name === 'KEEP') return () => text;
  return scope => expressionValueAt(scope.vars[name], parts);
}

function compileObject(expression: Doc, compiler: Compiler): Evaluate {
  const fields = Object.entries(expression).map(([name, inner]) => [name, compile(inner, compiler)] as const);
  return scope => {
    const out: Doc = {};
    for (const [name, evaluate] of fields) {
      const value = evaluate(scope);
      if (value !== undefined) out[name] = value;
    }
    return out;
  };
}

function compileOperator(name: string, operand: unknown, compiler: Compiler): Evaluate {
  if (name === '$literal' || name === '$const') return () => operand;
  const scoped = SCOPED[name];
  if (scoped) return scoped(operand, compiler);
  const own = OPERATORS[name];
  if (!own) return borrowed(name, operand, compiler);
  const operands = (Array.isArray(operand) ? operand : [operand]).map(item => compile(item, compiler));
  if (operands.length < own.min || operands.length > own.max) throw fail(16020, `Expression ${name} takes ${own.min === own.max ? `exactly ${own.min}` : `at least ${own.min} and at most ${own.max}`} arguments. ${operands.length} were passed in.`);
  return scope => own.apply(operands.map(evaluate => evaluate(scope)), compiler.collation);
}

// Projections of find and $project: inclusion, exclusion, computed fields, and find's $slice, $elemMatch and `$`.
import { fail } from '../errors.ts';
import { type Doc, isDoc, isNumeric, isTruthy, toNumber } from '../values/types.ts';
import { compileExpression, type Evaluate, type Variables } from './expression.ts';
import { compileFilter, matchedPosition, type MatchContext } from './match.ts';

type Leaf = { kind: 'keep' } | { kind: 'drop' } | { kind: 'compute'; evaluate: Evaluate } | { kind: 'array'; apply(items: unknown[]): unknown[] | undefined } | { kind: 'position' };
type Branch = { kind: 'branch'; fields: Map<string, Leaf | Branch> };
export type Projection = (doc: Doc) => Doc;

export function compileProjection(spec: unknown, context: MatchContext, find?: { filter: unknown }): Projection | null {
  if (spec === undefined || spec === null) return null;
  if (!isDoc(spec)) throw fail('TypeMismatch', 'Expected field projection to be of type object');
  if (Object.keys(spec).length === 0) { if (find) return null; throw fail(51272, 'Invalid $project :: caused by :: projection specification must have at least one field'); }
  const root: Branch = { kind: 'branch', fields: new Map() };
  addFields(root, spec, '', context, find !== undefined);
  const kinds = new Set(leaves(root, true));
  if (kinds.has('keep') && kinds.has('drop')) throw fail(31254, 'Cannot do exclusion in inclusion projection');
  const inclusive = kinds.has('keep') || kinds.has('position') || (!kinds.has('drop') && kinds.has('compute')) || (kinds.size === 0 && root.fields.get('_id')?.kind === 'keep');
  if (!kinds.has('keep') && !kinds.has('drop') && kinds.has('array') && [...root.fields.values()].some(leaf => leaf.kind === 'array' && leaf.apply.name === 'elemMatch')) return projector(root, true, context, find);
  return projector(root, inclusive, context, find);
}

function projector(root: Branch, inclusive: boolean, context: MatchContext, find?: { filter: unknown }): Projection {
  if (inclusive && !root.fields.has('_id')) root.fields = new Map([['_id', { kind: 'keep' }], ...root.fields]);
  return doc => {
    const scope = { root: doc, vars: context.variables };
    const at = (path: string): number | null => matchedPosition(find?.filter ?? {}, doc, path, context);
    return project(doc, root, inclusive, { scope, at }, '');
  };
}

type Run = { scope: { root: unknown; vars: Variables }; at(path: string): number | null };

function leaves(branch: Branch, top = false): string[] {
  return [...branch.fields].flatMap(([name, leaf]) => (top && name === '_id' && leaf.kind !== 'compute' ? [] : leaf.kind === 'branch' ? leaves(leaf) : [leaf.kind]));
}

function addFields(root: Branch, spec: Doc, prefix: string, context: MatchContext, find: boolean): void {
  for (const [name, value] of Object.entries(spec)) {
    if (name === '') throw fail(40352, 'FieldPath cannot be constructed with empty string');
    if (name.startsWith('$') && !prefix) throw fail(16410, `FieldPath field names may not start with '$'. Consider using $getField or $setField.`);
    if (isDoc(value) && Object.keys(value).length > 0 && !(Object.keys(value)[0] as string).startsWith('$')) addFields(root, value, `${prefix}${name}.`, context, find);
    else put(root, `${prefix}${name}`, toLeaf(`${prefix}${name}`, value, context, find));
  }
}

function toLeaf(path: string, value: unknown, context: MatchContext, find: boolean): Leaf {
  if (find && path.endsWith('.$')) return { kind: 'position' };
  if (typeof value === 'boolean' || isNumeric(value)) return { kind: isTruthy(value) ? 'keep' : 'drop' };
  if (find && isDoc(value)) {
    if ('$slice' in value && !(Array.isArray(value['$slice']) && value['$slice'].length > 1 && typeof value['$slice'][0] !== 'number')) return sliceLeaf(value['$slice']);
    if ('$elemMatch' in value) {
      const test = compileFilter({ value: { $elemMatch: value['$elemMatch'] } }, context);
      return { kind: 'array', apply: function elemMatch(items) { const hit = items.find(item => test({ value: [item] })); return hit === undefined ? undefined : [hit]; } };
    }
    if ('$meta' in value) throw fail('NotImplemented', '$meta is refused by this test server');
  }
  return { kind: 'compute', evaluate: compileExpression(value, context.variables, context.collation) };
}

function sliceLeaf(spec: unknown): Leaf {
  const [from, count] = Array.isArray(spec) ? spec.map(toNumber) : [toNumber(spec)];
  if (from === undefined) throw fail(28724, 'First argument to $slice must be an array or number');
  return { kind: 'array', apply: items => {
    if (count === undefined) return from >= 0 ? items.slice(0, from) : items.slice(from);
    const start = from < 0 ? Math.max(0, items.length + from) : from;
    return items.slice(start, start + count);
  } };
}

function put(root: Branch, path: string, leaf: Leaf): void {
  const parts = (leaf.kind === 'position' ? path.slice(0, -2) : path).split('.');
  let at = root;
  parts.forEach((part, i) => {
    const found = at.fields.get(part);
    if (i === parts.length - 1) {
      if (found) throw fail(31250, `Path collision at ${path}`);
      at.fields.set(part, leaf);
      return;
    }
    if (found && found.kind !== 'branch') throw fail(31249, `Path collision at ${path} remaining portion ${parts.slice(i + 1).join('.')}`);
    const next: Branch = found ?? { kind: 'branch', fields: new Map() };
    at.fields.set(part, next);
    at = next;
  });
}

function project(doc: Doc, branch: Branch, inclusive: boolean, run: Run, prefix: string): Doc {
  const out: Doc = {};
  for (const name of Object.keys(doc)) {
    const leaf = branch.fields.get(name);
    const value = leaf ? projectValue(doc[name], leaf, inclusive, run, prefix + name) : inclusive ? undefined : doc[name];
    if (value !== undefined) out[name] = value;
  }
  for (const [name, leaf] of branch.fields) {
    if (leaf.kind === 'compute') set(out, name, leaf.evaluate(run.scope));
    else if (leaf.kind === 'branch' && doc[name] === undefined && leaves(leaf).includes('compute')) set(out, name, project({}, leaf, inclusive, run, `${prefix}${name}.`));
  }
  return out;
}

function set(out: Doc, name: string, value: unknown): void {
  if (value === undefined) delete out[name];
  else out[name] = value;
}

function projectValue(value: unknown, leaf: Leaf | Branch, inclusive: boolean, run: Run, path: string): unknown {
  switch (leaf.kind) {
    case 'keep': return value;
    case 'drop': case 'compute': return undefined;
    case 'array': return Array.isArray(value) ? leaf.apply(value) : value;
    case 'position': return positioned(value, run.at(path));
    case 'branch': return projectInto(value, leaf, inclusive, run, path);
  }
}

function projectInto(value: unknown, branch: Branch, inclusive: boolean, run: Run, path: string): unknown {
  if (isDoc(value)) return project(value, branch, inclusive, run, `${path}.`);
  if (Array.isArray(value)) return value.map(item => projectInto(item, branch, inclusive, run, path)).filter(item => item !== undefined);
  if (leaves(branch).includes('compute')) return project({}, branch, inclusive, run, `${path}.`);
  return inclusive ? undefined : value;
}

function positioned(value: unknown, at: number | null): unknown {
  if (!Array.isArray(value)) return value;
  if (at === null) throw fail(51246, "Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array");
  return [value[at]];
}

// $addFields: computed fields over the whole document, nested ones merged into what is there.
export function compileAddFields(spec: unknown, context: MatchContext): Projection {
  if (!isDoc(spec)) throw fail(40272, '$addFields specification stage must be an object');
  const root: Branch = { kind: 'branch', fields: new Map() };
  const walk = (fields: Doc, prefix: string): void => {
    for (const [name, value] of Object.entries(fields)) {
      if (name.startsWith('$')) throw fail(16410, `FieldPath field names may not start with '$'. Consider using $getField or $setField.`);
      if (isDoc(value) && Object.keys(value).length > 0 && !(Object.keys(value)[0] as string).startsWith('$')) walk(value, `${prefix}${name}.`);
      else put(root, `${prefix}${name}`, { kind: 'compute', evaluate: compileExpression(value, context.variables, context.collation) });
    }
  };
  walk(spec, '');
  return doc => addInto(doc, root, { root: doc, vars: context.variables }) as Doc;
}

function addInto(value: unknown, branch: Branch, scope: { root: unknown; vars: Variables }): unknown {
  if (Array.isArray(value)) return value.map(item => addInto(item, branch, scope));
  const out: Doc = isDoc(value) ? { ...value } : {};
  for (const [name, leaf] of branch.fields) {
    if (leaf.kind === 'branch') out[name] = addInto(out[name], leaf, scope);
    else if (leaf.kind === 'compute') set(out, name, leaf.evaluate(scope));
  }
  return out;
}

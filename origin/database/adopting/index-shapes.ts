/**
 * Shapes from the indexes that are there: what an application's queries needed once, others will ask for. Those that no list
 * walks (text, places, parts of the documents) are told in comments.
 */
import type { IndexDescriptionInfo } from 'mongodb';
import { isParameterName } from '../../../shared/contract/reserved-names.ts';
import { membersOf, type What } from './description.ts';
import { keyOf, quoted, shown } from './shown.ts';
import { capitalised } from './wire-names.ts';

export interface FoundShapes {
  /** Lines of the declaration, without commas. */
  readonly shapes: readonly string[];
  /** Indexes that no shape follows from, each with the reason. */
  readonly others: readonly string[];
}

interface Key {
  /** On the wire. */
  readonly path: string;
  /** Of one value. */
  readonly what: What;
  /** Whether a list can ask for it. */
  readonly isPlain: boolean;
  readonly isMany: boolean;
  readonly isDescending: boolean;
}

export function describeIndexes(indexes: readonly IndexDescriptionInfo[], documents: What): FoundShapes {
  const shapes = new Map<string, string>();
  const others: string[] = [];
  for (const index of indexes) {
    const keys = keysOf(index, documents);
    if (typeof keys === 'string') others.push(`${shown(String(index.name))}: ${keys}`);
    else for (const { name, code } of toShapes(keys)) if (![...shapes.values()].includes(code)) shapes.set(freeName(name, shapes), code);
  }
  return { shapes: [...shapes].map(([name, code]) => `${keyOf(name)}: ${code}`), others };
}

/** The keys as far as a list can walk them, or why none can. */
function keysOf(index: IndexDescriptionInfo, documents: What): readonly Key[] | string {
  const special = whySpecial(index);
  if (special !== undefined) return special;
  const keys: Key[] = [];
  for (const [path, direction] of Object.entries(index.key)) {
    // Behind the id nothing is left to be put in order.
    if (path === '_id') break;
    if (typeof direction !== 'number') return `is of the kind ${shown(String(direction))}`;
    const found = placeAt(documents, path.split('.'));
    if (found === undefined) return `${shown(path)} is not declared`;
    if (!found.isPlain) return `${shown(path)} has no single plain type`;
    if (isParameterName(found.path)) return `${shown(path)} is a parameter of every list; storedAs gives it another name`;
    keys.push({ ...found, isDescending: direction < 0 });
  }
  return keys.filter(({ isMany }) => isMany).length > 1 ? 'has two arrays' : keys;
}

function whySpecial(index: IndexDescriptionInfo): string | undefined {
  if (Object.values(index.key).includes('text')) return 'finds words';
  if (Object.keys(index.key).some((path) => path.endsWith('$**'))) return 'is of all fields';
  if (index['partialFilterExpression'] !== undefined) return 'is partial';
  if (index['sparse'] === true) return 'is sparse';
  if (index['hidden'] === true) return 'is hidden';
  if (index['collation'] !== undefined) return 'has a collation';
  return index['expireAfterSeconds'] === undefined ? undefined : `deletes documents ${index['expireAfterSeconds']} s after their date`;
}

type Found = Omit<Key, 'isDescending'>;

/** By stored names. */
function placeAt(holder: What, [first = '', ...rest]: readonly string[]): Found | undefined {
  const member = membersOf(holder).find(({ stored }) => stored === first);
  if (member === undefined) return undefined;
  const { what: inner } = member.type;
  const isMany = inner.kind === 'array';
  const what = isMany ? inner.element.what : inner;
  // An array that holds null beside others has no one type of elements.
  if (rest.length === 0) return { path: member.name, what, isPlain: isScalar(what) && !(isMany && inner.element.nullable), isMany };
  const found = placeAt(what, rest);
  return found === undefined ? undefined : { ...found, path: `${member.name}.${found.path}`, isMany: found.isMany || isMany };
}

function isScalar({ kind }: What): boolean {
  return !['array', 'record', 'object', 'choice', 'union', 'unknown', 'binary'].includes(kind);
}

interface NamedShape {
  readonly name: string;
  readonly code: string;
}

/** All but the last key are asked for by equality, and the last one is what is put in order, where it can be. */
function toShapes(keys: readonly Key[]): readonly NamedShape[] {
  const last = keys.at(-1);
  if (last === undefined) return [];
  const name = keys.map(({ path }) => path.split(/[._]/).map(capitalised).join('')).join('');
  const equal = keys.map(({ path }) => path);
  const all = { name: `by${name}`, code: `{ equal: [${equal.map(quoted).join(', ')}] }` };
  if (last.isMany || !isOrdered(last.what)) return [all];
  const order = `range: ${quoted(last.path)}, sort: [${quoted(`${last.isDescending && keys.length > 1 ? '-' : ''}${last.path}`)}]`;
  if (keys.length === 1) return [all, { name: `in${name}Order`, code: `{ ${order} }` }];
  return [{ name: `by${name}`, code: `{ equal: [${equal.slice(0, -1).map(quoted).join(', ')}], ${order} }` }];
}

function isOrdered({ kind }: What): boolean {
  return ['string', 'integer', 'number', 'long', 'decimal', 'instant'].includes(kind);
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  for (let count = 1; ; count++) {
    const free = count === 1 ? name : `${name}${count}`;
    if (!taken.has(free)) return free;
  }
}

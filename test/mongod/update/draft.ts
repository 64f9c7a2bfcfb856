// A document being changed: only what a change passes through is copied, so the stored original stays as it was.
import { fail } from '../errors.ts';
import { isIndexName } from '../values/paths.ts';
import { type Doc, isDoc, typeOf } from '../values/types.ts';

export type Path = readonly string[];

const ARRAY_PADDING_MAX = 1_500_000; // a mongod's own bound

export class Draft {
  readonly root: Doc;
  readonly touched = new Map<string, Path>(); // paths set or created, for the update's description
  readonly removed = new Map<string, Path>();
  private readonly owned = new WeakSet<object>();

  constructor(doc: Doc) {
    this.root = { ...doc };
    this.owned.add(this.root);
  }

  get(path: Path): unknown {
    let at: unknown = this.root;
    for (const part of path) {
      at = Array.isArray(at) ? (isIndexName(part) ? at[Number(part)] : undefined) : isDoc(at) && Object.hasOwn(at, part) ? at[part] : undefined;
      if (at === undefined) return undefined;
    }
    return at;
  }

  set(path: Path, value: unknown): void {
    let holder: Doc | unknown[] = this.root;
    let created: Path | null = null;
    for (let i = 0; i < path.length - 1; i++) {
      const part = path[i] as string;
      const inner = readIn(holder, part);
      if (inner === undefined) created ??= path.slice(0, i + 1);
      const next: Doc | unknown[] = inner === undefined ? {} : this.own(inner, path, i);
      writeIn(holder, part, next, path);
      if (inner === undefined) this.owned.add(next);
      holder = next;
    }
    writeIn(holder, path.at(-1) as string, value, path);
    this.note(created ?? path);
  }

  unset(path: Path): void {
    if (this.get(path) === undefined) return;
    let holder: Doc | unknown[] = this.root;
    for (let i = 0; i < path.length - 1; i++) {
      const next = this.own(readIn(holder, path[i] as string), path, i);
      writeIn(holder, path[i] as string, next, path);
      holder = next;
    }
    const last = path.at(-1) as string;
    if (Array.isArray(holder)) { holder[Number(last)] = null; this.note(path); return; }
    delete holder[last];
    this.touched.delete(path.join('.'));
    this.removed.set(path.join('.'), path);
  }

  // Array items appended are described one by one, anything else about an array as the whole of it.
  noteItems(path: Path, from: number, to: number): void {
    this.touched.delete(path.join('.'));
    for (let i = from; i < to; i++) this.note([...path, String(i)]);
  }

  private note(path: Path): void {
    this.removed.delete(path.join('.'));
    this.touched.set(path.join('.'), path);
  }

  private own(value: unknown, path: Path, at: number): Doc | unknown[] {
    if (!isDoc(value) && !Array.isArray(value)) {
      throw fail('PathNotViable', `Cannot create field '${path[at + 1]}' in element {${path[at]}: ${JSON.stringify(value) ?? typeOf(value)}}`);
    }
    if (this.owned.has(value)) return value;
    const copy = Array.isArray(value) ? [...value as unknown[]] : { ...value };
    this.owned.add(copy);
    return copy;
  }
}

const readIn = (holder: Doc | unknown[], part: string): unknown =>
  Array.isArray(holder) ? (isIndexName(part) ? holder[Number(part)] : undefined) : Object.hasOwn(holder, part) ? holder[part] : undefined;

function writeIn(holder: Doc | unknown[], part: string, value: unknown, path: Path): void {
  if (!Array.isArray(holder)) {
    if (part === '__proto__') Object.defineProperty(holder, part, { value, writable: true, enumerable: true, configurable: true });
    else holder[part] = value;
    return;
  }
  if (!isIndexName(part)) throw fail('PathNotViable', `Cannot create field '${part}' in element {${path[path.indexOf(part) - 1] ?? ''}: ${JSON.stringify(holder)}}`);
  const at = Number(part);
  if (at - holder.length > ARRAY_PADDING_MAX) throw fail('BadValue', 'Cannot backfill array to larger than 1500000 elements');
  while (holder.length < at) holder.push(null);
  holder[at] = value;
}

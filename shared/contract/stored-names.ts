/**
 * Members that the database calls otherwise than the wire, at any depth (`storedAs`, SEMANTICS §15). At each level this is a
 * permutation of all names, so nothing that the schema does not name is lost or met twice: a stored member that has the wire
 * name of another goes by the name that this one has in the database. At the top `id` names the document, so a stored
 * member that would be called so goes by `id'`, one that would be called that by `id''`, and so on.
 */
/** The stored name of a member at its own level, by the wire path that leads to it. */
export type StoredAsDeclaration = Readonly<Record<string, string>>;

/** The names at one level. Arrays have those of their elements. */
export interface StoredNames {
  toStored(name: string): string;
  toWire(name: string): string;
  /** Of what stands in this member; `undefined`: nothing there is called otherwise. */
  below(wireName: string): StoredNames | undefined;
}

/** `undefined`: all members are called the same. */
export function toStoredNames(storedAs: StoredAsDeclaration = {}): StoredNames | undefined {
  const tree = new Level();
  for (const [path, name] of Object.entries(storedAs)) {
    const steps = path.split('.');
    tree.at(steps.slice(0, -1)).add(steps.at(-1) ?? '', name);
  }
  return tree.names(true);
}

class Level {
  readonly #stored = new Map<string, string>();
  readonly #below = new Map<string, Level>();

  at([first, ...rest]: readonly string[]): Level {
    if (first === undefined) return this;
    const below = this.#below.get(first) ?? new Level();
    this.#below.set(first, below);
    return below.at(rest);
  }

  add(wire: string, stored: string): void {
    this.#stored.set(wire, stored);
  }

  names(isTop: boolean): StoredNames | undefined {
    const levels = [...this.#below].flatMap(([name, level]) => {
      const names = level.names(false);
      return names === undefined ? [] : [[name, names] as const];
    });
    const isPlain = [...this.#stored].every(([wire, stored]) => wire === stored);
    if (isPlain && levels.length === 0) return undefined;
    const below = new Map(levels);
    const [stored, wire] = toPermutation(this.#stored);
    return {
      toStored: (name) => (isTop ? withoutMark(name, stored) : (stored.get(name) ?? name)),
      toWire: (name) => {
        const found = wire.get(name) ?? name;
        return isTop && shadowed.test(found) ? `${found}'` : found;
      },
      below: (name) => below.get(name),
    };
  }
}

const shadowed = /^id'*$/;

function withoutMark(name: string, stored: ReadonlyMap<string, string>): string {
  const unmarked = name !== 'id' && shadowed.test(name) ? name.slice(0, -1) : name;
  return stored.get(unmarked) ?? unmarked;
}

/** The names of each direction: those that only one side has are led to each other along the chain of renamings. */
function toPermutation(declared: ReadonlyMap<string, string>): readonly [ReadonlyMap<string, string>, ReadonlyMap<string, string>] {
  const stored = new Map(declared);
  const taken = new Set(declared.values());
  for (const wire of declared.keys()) {
    if (taken.has(wire)) continue;
    let end = wire;
    for (let next = declared.get(end); next !== undefined; next = declared.get(end)) end = next;
    stored.set(end, wire);
  }
  return [stored, new Map([...stored].map(([wire, name]) => [name, wire]))];
}

type Named = { readonly names: StoredNames | undefined };

/** The stored path of a wire path. */
export function toStoredPath({ names }: Named, path: string): string {
  if (names === undefined) return path;
  let level: StoredNames | undefined = names;
  return path.split('.').map((step) => {
    const stored = level?.toStored(step) ?? step;
    level = level?.below(step);
    return stored;
  }).join('.');
}

/** The wire names of the steps of a stored path; numbers lead to elements of arrays. */
export function toWireSteps({ names }: Named, steps: readonly string[]): readonly string[] {
  let level: StoredNames | undefined = names;
  return steps.map((step) => {
    const wire = level?.toWire(step) ?? step;
    if (!/^\d+$/.test(step) || wire !== step) level = level?.below(wire);
    return wire;
  });
}

/**
 * Files that lead to one another by their imports: who would read one has to read all of them. By types a few may, which are one
 * idea; by values none, since which of them is there first would depend on who is imported first.
 */
import { type Complaint, importsOf, type Module, resolveImport } from './source.ts';

/** Of files that import one another by types; a smaller circle is a reason to lower it. */
const circleFilesMax = 7;

/** Files by path, with the paths that each imports. */
type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** `test/mongod` is a package of its own, with its own manner. */
export function findCircles(modules: readonly Module[], filesMax: number = circleFilesMax): Complaint[] {
  const own = modules.filter(({ path }) => !path.startsWith('test/mongod/'));
  const byTypes = circlesOf(toGraph(own, (module) => importsOf(module).map(({ specifier }) => specifier)));
  const byValues = circlesOf(toGraph(own, valueImportsOf));
  return [
    ...byTypes.filter(({ length }) => length > filesMax).map((circle) =>
      `${circle[0]}:1 ${circle.length} files import one another, by types too; ${filesMax} at most: ${circle.join(', ')}`),
    ...byValues.map((circle) => `${circle[0]}:1 files import one another by values: ${circle.join(', ')}`),
  ];
}

function toGraph(modules: readonly Module[], toSpecifiers: (module: Module) => readonly string[]): Graph {
  const known = new Set(modules.map(({ path }) => path));
  return new Map(modules.map((module) => {
    const targets = toSpecifiers(module).flatMap((specifier) => resolveImport(module.path, specifier) ?? []);
    return [module.path, new Set(targets.filter((target) => known.has(target)))];
  }));
}

/** What is loaded before the module runs; what it imports later, when asked for, is not. */
function valueImportsOf({ module }: Module): readonly string[] {
  const imported = module.staticImports.filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType));
  const handedOn = module.staticExports.flatMap(({ entries }) => entries).filter(({ isType }) => !isType);
  return [...imported, ...handedOn].flatMap(({ moduleRequest }) => moduleRequest?.value ?? []);
}

/** Strongly connected components of more than one file (Tarjan 1972), the greatest first, each in alphabetical order. */
function circlesOf(graph: Graph): string[][] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (path: string): number => {
    const number = numbers.size;
    numbers.set(path, number);
    lowest.set(path, number);
    open.push(path);
    for (const target of graph.get(path) ?? []) {
      const reached = numbers.has(target) ? (open.includes(target) ? numbers.get(target) : undefined) : visit(target);
      lowest.set(path, Math.min(lowest.get(path) ?? number, reached ?? number));
    }
    const low = lowest.get(path) ?? number;
    if (low === number) {
      const circle = open.splice(open.indexOf(path));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return low;
  };
  for (const path of graph.keys()) if (!numbers.has(path)) visit(path);
  return circles.sort((one, other) => other.length - one.length);
}

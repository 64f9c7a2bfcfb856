/** Who may import whom (the README's map): both runtimes stand on `shared/`, and never on one another. */
import { type Complaint, importsOf, type Module, resolveImport } from './source.ts';

const allowed: Readonly<Record<string, readonly string[]>> = {
  shared: ['shared', 'wasm'],
  edge: ['edge', 'shared', 'wasm'],
  origin: ['origin', 'shared', 'wasm'],
  wasm: ['wasm'],
  test: ['test', 'shared', 'edge', 'origin', 'wasm'],
};

/** The composition root of edge and origin in one process: the only place that imports both. */
const oneProcess = 'origin/one-process/';

/** Looks at what is declared before anything starts; neither the edge nor what it imports holds it, for the Worker's size. */
const checks = 'shared/checks/';

/** What development needs stays out of what runs in production. */
const development = 'origin/dev/';

/** The edge in workerd on one's own host, which is run there as it is in development. */
const edgeHost = 'origin/edge-host/';

/**
 * Handlers of operations read and write by what `execute` gives them (`origin/access`). What leads to the store, or opens
 * one, is not theirs to import: of the origin they may use these alone, and those of a team's endpoints less.
 */
const handlers = [
  { room: 'origin/operations/', mayUse: /^origin\/(operations\/|import\/|access\/|call\.ts$|tokens\.ts$|trouble\.ts$)/ },
  { room: 'origin/endpoints/', mayUse: /^origin\/(endpoints|access|jobs|workflows)\// },
  {
    room: 'origin/hooks/',
    mayUse: /^origin\/((hooks|jobs|workflows)\/|[a-z-]+\/(after-commit|before-write|departing|read-model)\.ts$)/,
  },
  { room: 'origin/jobs/', mayUse: /^origin\/(jobs\/|workflows\/|job-queue\/(job|schedule)\.ts$|incoming\/event\.ts$)/ },
  {
    room: 'origin/workflows/',
    mayUse: /^origin\/(workflows\/|jobs\/|endpoints\/payments\.ts$|workflow-engine\/workflow\.ts$)/,
  },
];

/** A package of its own inside the tests: it imports nothing of the project, and is imported by one file. */
const mongod = 'test/mongod/';
const mongodEntry = `${mongod}mongod.ts`;

export function findWrongDirections(modules: readonly Module[]): Complaint[] {
  return modules.flatMap((module) => importsOf(module).flatMap(({ specifier, start }) => {
    const target = resolveImport(module.path, specifier);
    const wrong = target === undefined ? undefined : toWrong(module.path, target);
    return wrong === undefined ? [] : [`${module.path}:${module.line(start)} ${wrong}`];
  }));
}

function mayDevelop(from: string): boolean {
  return [development, oneProcess, edgeHost].some((room) => from.startsWith(room));
}

function toWrong(from: string, target: string): string | undefined {
  const [here = ''] = from.split('/');
  const [there = ''] = target.split('/');
  if (from.startsWith(oneProcess) && there === 'edge') return undefined;
  if (allowed[here]?.includes(there) !== true) return `${here}/ must not import ${target}`;
  if (target.startsWith(checks) && (here === 'edge' || here === 'shared') && !from.startsWith(checks)) {
    return `the Worker must not hold ${target}`;
  }
  if (from.startsWith(mongod) && !target.startsWith(mongod)) return `${mongod} is a package of its own and must not import ${target}`;
  if (target.startsWith(mongod) && !from.startsWith(mongod) && target !== mongodEntry) return `import ${mongodEntry}, not ${target}`;
  if (target.startsWith(development) && here === 'origin' && !mayDevelop(from)) {
    return `only ${development} may import ${target}`;
  }
  if (there === 'origin' && handlers.some(({ room, mayUse }) => from.startsWith(room) && !mayUse.test(target))) {
    return `a handler reads and writes by its access (origin/access), and must not import ${target}`;
  }
  return undefined;
}

/**
 * Exports that nobody imports. A use by tests alone is no use. What is there for a reader outside says so in the
 * comment before it: "Exported for tests …", "Exported for resource files …" (the declaration's vocabulary).
 *
 * A type counts as used where its own module mentions it: it is part of an exported signature there. What an `all.ts` may name
 * need not be named by it: a team leaves out of the sample what it has no use for.
 */
import { dirname } from 'node:path';
import { type Complaint, type Module, resolveImport } from './source.ts';

/** What something outside the modules names: wrangler, the package scripts, a thread. */
const entryPoint = /^(edge\/worker\.ts|.*\.(object|worker)\.ts)$/;
const mark = 'Exported for ';

interface Exported {
  readonly name: string;
  readonly start: number;
}

export function findDeadExports(modules: readonly Module[]): Complaint[] {
  const uses = usesOf(modules);
  const declaring = new Set(modules.map(({ path }) => path).filter((path) => path.endsWith('/all.ts')).map(dirname));
  return modules.filter(({ path }) => !entryPoint.test(path) && !declaring.has(dirname(path))).flatMap((module) => {
    const used = uses.get(module.path) ?? new Set();
    return exportsOf(module).flatMap(({ name, start }) => {
      if (used.has('*') || used.has(name) || isOwnType(module, name) || isMarked(module, start)) return [];
      const others = isTest(module.path) ? '' : ' but, at most, tests';
      return [`${module.path}:${module.line(start)} ${name} is exported and imported by nobody${others}`];
    });
  });
}

/** The names that are imported, by path, `*` for all. Tests' imports count for the files of tests alone. */
function usesOf(modules: readonly Module[]): Map<string, Set<string>> {
  const uses = new Map<string, Set<string>>();
  const use = (from: string, specifier: string, name: string): void => {
    const target = resolveImport(from, specifier);
    if (target === undefined || (isTest(from) && !isTest(target))) return;
    uses.set(target, (uses.get(target) ?? new Set()).add(name));
  };
  for (const { path, module, text } of modules) {
    for (const { moduleRequest, entries } of module.staticImports) {
      for (const { importName } of entries) {
        use(
          path,
          moduleRequest.value,
          importName.kind === 'Name' ? (importName.name ?? '*') : importName.kind === 'Default' ? 'default' : '*',
        );
      }
    }
    for (const { entries } of module.staticExports) {
      for (const { moduleRequest, importName } of entries) {
        if (moduleRequest !== null) {
          use(path, moduleRequest.value, importName.name ?? '*');
        }
      }
    }
    for (const { moduleRequest } of module.dynamicImports) use(path, text.slice(moduleRequest.start + 1, moduleRequest.end - 1), '*');
  }
  return uses;
}

function exportsOf({ module }: Module): Exported[] {
  return module.staticExports.flatMap(({ entries, start }) =>
    entries.flatMap(({ exportName }) =>
      exportName.kind === 'Default' ? [{ name: 'default', start }] : exportName.name === null ? [] : [{ name: exportName.name, start }],
    ),
  );
}

function isOwnType({ text }: Module, name: string): boolean {
  const declared = new RegExp(`^export (?:declare )?(?:type|interface|class) ${name}\\b`, 'm').test(text);
  return declared && (text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0) > 1;
}

function isMarked({ text }: Module, start: number): boolean {
  const before = text.slice(0, start).trimEnd();
  const comment = before.endsWith('*/') ? before.slice(before.lastIndexOf('/*')) : (before.split('\n').at(-1) ?? '');
  return comment.includes(mark);
}

function isTest(path: string): boolean {
  return path.startsWith('test/');
}

/** What the style checks look at: the files that git knows or would take, and the modules among them, parsed. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { type EcmaScriptModule, parseSync, type Program } from 'oxc-parser';

export interface Source {
  /** The path from the project's top, with forward slashes. */
  readonly path: string;
  readonly text: string;
}

export interface Module extends Source {
  readonly program: Program;
  readonly module: EcmaScriptModule;
  line(offset: number): number;
}

/** One complaint: `path:line what is wrong and what to do`. */
export type Complaint = string;

const textBytesMax = 2_000_000;

export function readProject(project: string): Source[] {
  const listed = Bun.spawnSync(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: project });
  if (listed.exitCode !== 0) throw new Error(`git ls-files: ${listed.stderr.toString()}`);
  return listed.stdout.toString().split('\0').filter(Boolean).flatMap((path) => {
    const stat = statSync(join(project, path), { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size > textBytesMax) return [];
    const text = readFileSync(join(project, path), 'utf8');
    return text.includes('\0') ? [{ path, text: '' }] : [{ path, text }];
  });
}

export function parseModules(sources: readonly Source[]): Module[] {
  return sources.filter(({ path }) => path.endsWith('.ts')).map(({ path, text }) => {
    const { program, module, errors } = parseSync(path, text, { lang: 'ts', sourceType: 'module' });
    if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message}`);
    return { path, text, program, module, line: (offset) => text.slice(0, offset).split('\n').length };
  });
}

export interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/** Every node below, parents first, each with the node that holds it. */
export function* nodesOf(node: Node, parent?: Node): Generator<{ node: Node; parent: Node | undefined }> {
  yield { node, parent };
  for (const value of Object.values(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) yield* nodesOf(child, node);
    }
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string' && 'start' in value;
}

/** The root of a module's syntax tree: the parser's types name each node's fields, the checks look at few. */
export function rootOf({ program }: Module): Node {
  return program as unknown as Node;
}

/** The path that a relative import leads to, from the project's top; `undefined` for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? normalize(join(dirname(from), specifier)).replaceAll('\\', '/') : undefined;
}

/** Every module named by a module: static, re-exported and, where the text is literal, dynamic. */
export function importsOf({ module, text }: Module): { specifier: string; start: number }[] {
  const literal = /^(['"`])([^'"`$]+)\1$/;
  return [
    ...module.staticImports.map(({ moduleRequest, start }) => ({ specifier: moduleRequest.value, start })),
    ...module.staticExports.flatMap(({ entries, start }) =>
      entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [{ specifier: moduleRequest.value, start }])),
    ),
    ...module.dynamicImports.flatMap(({ moduleRequest, start }) => {
      const found = literal.exec(text.slice(moduleRequest.start, moduleRequest.end))?.[2];
      return found === undefined ? [] : [{ specifier: found, start }];
    }),
  ];
}

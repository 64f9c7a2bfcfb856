/** Calls and types that are banned, each with what to write instead. */
import { type Complaint, isNode, type Module, type Node, nodesOf, rootOf } from './source.ts';

interface Ban {
  readonly why: string;
  applies(path: string): boolean;
  finds(node: Node, module: Module): boolean;
}

const sleepMsMax = 100;

const bans: readonly Ban[] = [
  {
    why: '`any` switches the compiler off; say the type, or `unknown` and look',
    applies: () => true,
    finds: (node) => node.type === 'TSAnyKeyword',
  },
  {
    why: "`{ z }` brings all locales (93 KB against 26): import * as z from 'zod'",
    applies: () => true,
    finds: (node, { text }) =>
      node.type === 'ImportDeclaration' &&
      /^import\s*(type\s*)?\{[^}]*\bz\b[^}]*\}\s*from\s*['"]zod['"]/.test(text.slice(node.start, node.end)),
  },
  {
    why: 'console writes past the log: use the logger',
    applies: (path) => !/^(test|origin\/dev)\/|(^|\/)(log|logger)\.ts$/.test(path),
    finds: (node) => node.type === 'CallExpression' && calleeOf(node).startsWith('console.'),
  },
  {
    why: 'an async callback in a drizzle transaction does not roll back: use the writer of the store',
    applies: (path) => path.startsWith('origin/'),
    finds: (node) => node.type === 'CallExpression' && calleeOf(node).endsWith('.transaction'),
  },
  {
    why: 'SQLite prepares it again whenever it is bound: end it with `limitBound` (connection/database.ts)',
    applies: (path) => path.startsWith('origin/'),
    finds: (node, { text }) => /^(Literal|TemplateElement)$/.test(node.type) && /LIMIT \?(?! \+ 0)/.test(text.slice(node.start, node.end)),
  },
  {
    why: 'an operation is asked for by its name: what it is stands in its row (shared/operations); read it from there',
    applies: (path) => /^(edge|origin|shared)\//.test(path) && path !== 'origin/execute.ts',
    finds: isAskedByName,
  },
  {
    why: `waiting by the clock: wait for the condition, or say in a comment beside it why ${sleepMsMax} ms and more must pass`,
    applies: (path) => path.startsWith('test/'),
    finds: (node, module) => isLongSleep(node) && !hasReason(node, module),
  },
];

export function findBanned(modules: readonly Module[]): Complaint[] {
  return modules.flatMap((module) => {
    const here = bans.filter(({ applies }) => applies(module.path));
    const complaints: Complaint[] = [];
    for (const { node } of nodesOf(rootOf(module))) {
      for (const { why, finds } of here) if (finds(node, module)) complaints.push(`${module.path}:${module.line(node.start)} ${why}`);
    }
    return complaints;
  });
}

/** A silenced compiler: never without its reason, and never for a whole file. */
export function findSilenced(modules: readonly Module[]): Complaint[] {
  const silenced = new RegExp('@ts-(ignore|nocheck)|@ts-expect-error\\s*$|(eslint|biome)-(disable|ignore)', 'gm');
  return modules.flatMap((module) => [...module.text.matchAll(silenced)]
    .filter(({ index }) => /(\/\/|\/\*|^\s*\*)[^\n]*$/.test(module.text.slice(module.text.lastIndexOf('\n', index) + 1, index)))
    .map(({ index, 0: found }) => [module.line(index), found.trim()] as const)
    .map(([line, found]) => `${module.path}:${line} ${found}: mend the type, or @ts-expect-error with the reason behind it`));
}

/** Compared with a row's name, or one row taken out of the table; types may name a row. */
function isAskedByName(node: Node, { text, path }: Module): boolean {
  const source = text.slice(node.start, node.end);
  if (node.type === 'BinaryExpression') return /(^|[\w.]*[.])operation[.]name\s*[!=]==|[!=]==\s*([\w.]+[.])?operation[.]name$/.test(source);
  if (node.type === 'SwitchStatement') return /^switch\s*[(]([\w.]+[.])?operation[.]name[)]/.test(source);
  return (
    node.type === 'MemberExpression' &&
    !path.startsWith('shared/operations/') &&
    /^documents[.]\w+$/.test(source) &&
    /operations[/]documents[.]ts'/.test(text)
  );
}

function isLongSleep(node: Node): boolean {
  if (node.type !== 'CallExpression' || !/^(setTimeout|sleep|Bun\.sleep|Bun\.sleepSync)$/.test(calleeOf(node))) return false;
  const given = Array.isArray(node['arguments']) ? node['arguments'] : [];
  return given.some(
    (argument) =>
      isNode(argument) && argument.type === 'Literal' && typeof argument['value'] === 'number' && argument['value'] > sleepMsMax,
  );
}

function hasReason(node: Node, { text, line }: Module): boolean {
  const lines = text.split('\n');
  const at = line(node.start) - 1;
  return /\/\/ \S/.test(lines[at] ?? '') || /^\s*(\/\/|\*|\/\*\*) ?\S/.test(lines[at - 1] ?? '');
}

/** `a.b.c` of a call, `?.` read as `.`; what is not a plain name or member is `…`. */
function calleeOf(call: Node): string {
  const nameOf = (node: unknown): string => {
    if (!isNode(node)) return '…';
    if (node.type === 'Identifier') return String(node['name']);
    if (node.type === 'MemberExpression') return `${nameOf(node['object'])}.${nameOf(node['property'])}`;
    return '…';
  };
  return nameOf(call['callee']);
}

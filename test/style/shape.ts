/** Functions that grow past a screen, files that grow past reading, and barrels. */
import { type Complaint, type Module, type Node, nodesOf, rootOf } from './source.ts';

const functionLinesMax = 60;
const fileLinesMax = 300;
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

export function findLongFunctions(modules: readonly Module[]): Complaint[] {
  return modules.flatMap((module) => {
    const complaints: Complaint[] = [];
    for (const { node, parent } of nodesOf(rootOf(module))) {
      if (!functionTypes.has(node.type) || isGroupOfTests(parent)) continue;
      const lines = module.line(node.end) - module.line(node.start) + 1;
      if (lines > functionLinesMax) complaints.push(`${module.path}:${module.line(node.start)} a function of ${lines} lines; ${functionLinesMax} fill a screen`);
    }
    return complaints;
  });
}

export function findLongFiles(modules: readonly Module[]): Complaint[] {
  return modules.flatMap(({ path, text }) => {
    const lines = text.split('\n').length;
    return lines > fileLinesMax ? [`${path}:1 ${lines} lines; past ${fileLinesMax} a file holds more than one idea`] : [];
  });
}

/** The callback of `describe` is a heading over its tests, not a function that anyone reads as one. */
function isGroupOfTests(parent: Node | undefined): boolean {
  if (parent?.type !== 'CallExpression') return false;
  const callee = JSON.stringify(parent['callee']);
  return callee.includes('"describe"');
}

/** Functions that grow past a screen, files that grow past reading, and lines that grow past both. */
import { type Complaint, isNode, type Module, type Node, nodesOf, rootOf } from './source.ts';

const functionLinesMax = 60;
const fileLinesMax = 300;
const lineCharactersMax = 140;
const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

export function findLongFunctions(modules: readonly Module[]): Complaint[] {
  return modules.flatMap((module) => {
    const complaints: Complaint[] = [];
    for (const { node } of nodesOf(rootOf(module))) {
      if (!functionTypes.has(node.type) || isGroupOfTests(node)) continue;
      const lines = module.line(node.end) - module.line(node.start) + 1;
      if (lines > functionLinesMax) {
        complaints.push(`${module.path}:${module.line(node.start)} a function of ${lines} lines; ${functionLinesMax} fill a screen`);
      }
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

/** `test/mongod` is a package of its own, with its own manner. */
export function findLongLines(modules: readonly Module[]): Complaint[] {
  return modules.filter(({ path }) => !path.startsWith('test/mongod/')).flatMap(({ path, text }) =>
    text.split('\n').flatMap(({ length }, index) => {
      const why = `${length} characters; past ${lineCharactersMax} break the line, or give a part of it a name`;
      return length > lineCharactersMax ? [`${path}:${index + 1} ${why}`] : [];
    }),
  );
}

/** A function that registers tests is a heading over them, not a function that anyone reads as one. */
function isGroupOfTests({ body }: Node): boolean {
  const statements = isNode(body) && Array.isArray(body['body']) ? body['body'] : [];
  return statements.some(
    (statement) => isNode(statement) && isNode(statement['expression']) && /^(describe|test)\b/.test(rootName(statement['expression'])),
  );
}

/** `test` of `test.each([…])('…', …)`. */
function rootName(node: Node): string {
  const inner = node['callee'] ?? node['object'];
  return isNode(inner) ? rootName(inner) : String(node['name'] ?? '');
}

/** A description as the text of a resource file. */
import type { Described, Member, What } from './description.ts';
import type { FoundShapes } from './index-shapes.ts';
import type { FoundId } from './ids.ts';
import { keyOf, quoted, shown } from './shown.ts';

export interface Adoption {
  /** Of the resource. */
  readonly name: string;
  readonly collection: string;
  /** How many documents were read, of how many. */
  readonly read: number;
  readonly total: number;
  readonly id: FoundId;
  readonly documents: What;
  readonly shapes: FoundShapes;
}

const columnsMax = 140;
/** Code that is followed by `.nullable().optional(),` and a short note must leave some room. */
const codeColumnsMax = 110;

export function toResourceText(adoption: Adoption): string {
  const { name, collection, id, documents, shapes } = adoption;
  const renamed = storedNames(documents, '').map(([path, stored]) => `${keyOf(path)}: ${quoted(stored)}`);
  const declaration = [
    `name: ${quoted(name)},`,
    ...(collection === name ? [] : [`collection: ${quoted(collection)},`]),
    ...id.notes.flatMap((note) => comment(note, 1)),
    `id: ${id.code},`,
    ...(renamed.length === 0 ? [] : [`storedAs: ${list('{ ', renamed, ' }', 1)},`]),
    '// Tombolo keeps neither a revision nor times here. A name in place of false has it keep that one.',
    'rev: false,', 'createdAt: false,', 'updatedAt: false,',
    `schema: ${codeOf({ what: documents, nullable: false, notes: [] }, 1)},`,
    '// Closed until somebody decides: see anyone, signedIn, role, owner, tenant and fieldRules in the README.',
    "rules: { read: role('admin'), write: nobody },",
    'live: true,',
    ...shapeLines(shapes),
  ];
  const body = declaration.map((line) => `  ${line}`).join('\n');
  return `${heading(adoption)}${imports(body)}\nexport const ${constantOf(name)} = resource({\n${body}\n});\n`;
}

function shapeLines({ shapes, others }: FoundShapes): readonly string[] {
  if (shapes.length + others.length === 0) return ['shapes: { all: {} },'];
  const lines = [
    'all: {},',
    ...(shapes.length === 0 ? [] : ['// After the indexes that are there; npm run plan names what a shape still lacks.']),
    ...shapes.map((shape) => `${shape},`),
    ...others.flatMap((other) => comment(`Index ${other}.`, 2)),
  ];
  return ['shapes: {', ...lines.map((line) => `  ${line}`), '},'];
}

function heading({ collection, read, total }: Adoption): string {
  return [
    '/**',
    ` * The collection ${shown(collection)}, as \`npm run adopt\` found it in ${read} of ${total} documents; counts in comments are of`,
    ' * these. What is left out is kept by every write and served to nobody.', ' */', '',
  ].join('\n');
}

const types = ['binary', 'decimal', 'instant', 'integer', 'long', 'objectId'] as const;

function imports(body: string): string {
  const used = types.filter((type) => body.includes(`${type}()`));
  return [
    "import * as z from 'zod';", "import { resource } from '../contract/resource.ts';",
    "import { nobody, role } from '../contract/rules.ts';",
    ...(used.length === 0 ? [] : [`import { ${used.join(', ')} } from '../contract/types.ts';`]), '',
  ].join('\n');
}

/** `new` and its kin name no constant. */
export function constantOf(name: string): string {
  const camel = name.replace(/-+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()).replaceAll('-', '');
  return reserved.has(camel) ? `${camel}Resource` : camel;
}

const reserved: ReadonlySet<string> = new Set([
  'arguments', 'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum',
  'eval', 'export', 'extends', 'false', 'finally', 'for', 'function', 'if', 'implements', 'import', 'in', 'instanceof', 'interface', 'let',
  'new', 'null', 'package', 'private', 'protected', 'public', 'return', 'static', 'super', 'switch', 'this', 'throw', 'true', 'try',
  'typeof', 'var', 'void', 'while', 'with', 'yield',
  // What the file itself imports.
  'resource', 'nobody', 'role', 'z', ...types.map(String),
]);

/** Wire paths whose last member is stored under another name, with that name. */
function storedNames(what: What, prefix: string): readonly (readonly [path: string, stored: string])[] {
  if (what.kind === 'array') return storedNames(what.element.what, prefix);
  if (what.kind !== 'object' && what.kind !== 'choice') return [];
  const members = what.kind === 'object' ? what.members : what.branches.flat();
  const found = members.flatMap(({ name, stored, type }) => [
    ...(name === stored ? [] : [[prefix + name, stored] as const]), ...storedNames(type.what, `${prefix}${name}.`),
  ]);
  return [...new Map(found)];
}

/** The lines of a type begin behind two spaces for each of `levels`, which stand in front of the first one already. */
function codeOf({ what, nullable }: Described, levels: number): string {
  return `${codeOfWhat(what, levels)}${nullable ? '.nullable()' : ''}`;
}

function codeOfWhat(what: What, levels: number): string {
  switch (what.kind) {
    case 'string':
    case 'uuid':
    case 'guid':
    case 'boolean':
    case 'number':
    case 'unknown':
      return `z.${what.kind}()`;
    case 'enum': {
      const values = what.values.map(quoted);
      return values.length === 1 ? `z.literal(${values[0]})` : list('z.enum([', values, '])', levels);
    }
    case 'array':
      return `z.array(${codeOf(what.element, levels)})`;
    case 'record':
      return `z.record(z.string(), ${codeOf(what.value, levels)})`;
    case 'union':
      return list('z.union([', what.options.map((option) => codeOfWhat(option, levels + 1)), '])', levels);
    case 'object':
      return objectCode(what.members, what.left, levels);
    case 'choice': {
      const branches = what.branches.map((members, index) => objectCode(members, index === 0 ? what.left : [], levels + 1));
      const lines = branches.map((branch) => `${indent(levels + 1)}${branch},\n`).join('');
      return `z.discriminatedUnion(${quoted(what.discriminator)}, [\n${lines}${indent(levels)}])`;
    }
    default:
      return `${what.kind}()`;
  }
}

function objectCode(members: readonly Member[], left: readonly string[], levels: number): string {
  if (members.length === 0 && left.length === 0) return 'z.object({})';
  const codes = members.map(({ name, type, optional }) => `${keyOf(name)}: ${codeOf(type, levels + 1)}${optional ? '.optional()' : ''}`);
  const isPlain = levels > 1 && left.length === 0 && members.every(({ type }) => type.notes.length === 0);
  if (isPlain) return list('z.object({ ', codes, ' })', levels);
  const lines = members.flatMap(({ type }, index) => withNotes(`${codes[index] ?? ''},`, type.notes, levels + 1));
  const leftOut = left.length === 0 ? [] : comment(`Left out: ${left.join(', ')}.`, levels + 1);
  return `z.object({\n${[...lines, ...leftOut].map((line) => indent(levels + 1) + line).join('\n')}\n${indent(levels)}})`;
}

/** In one line where all of it fits. */
function list(open: string, items: readonly string[], close: string, levels: number): string {
  const line = `${open}${items.join(', ')}${close}`;
  if (!line.includes('\n') && indent(levels).length + line.length <= codeColumnsMax) return line;
  return `${open.trimEnd()}\n${items.map((item) => `${indent(levels + 1)}${item},\n`).join('')}${indent(levels)}${close.trimStart()}`;
}

function withNotes(code: string, notes: readonly string[], levels: number): readonly string[] {
  if (notes.length === 0) return [code];
  const note = notes.join('; ');
  const line = `${code} // ${note}`;
  return code.includes('\n') || indent(levels).length + line.length > columnsMax ? [...comment(note, levels), code] : [line];
}

/** Lines of a comment, none past the last column unless a single word is. */
function comment(text: string, levels: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && indent(levels).length + line.length + word.length < columnsMax) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(`// ${word}`);
  }
  return lines;
}

function indent(levels: number): string {
  return '  '.repeat(levels);
}

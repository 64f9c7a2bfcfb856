/** What README prints: its examples, and what they answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const readme = readFileSync(join(import.meta.dir, '../../README.md'), 'utf8');

/** The blocks of a language in the section of a heading, its sub-sections left out. */
export function blocksBelow(heading: string, language: string): readonly string[] {
  const [, below = ''] = readme.split(`${heading}\n`);
  const [section = ''] = below.split(/^##+ /m);
  return [...section.matchAll(/^ *```(\w*)\n([^]*?)^ *```$/gm)].flatMap(([, name, text = '']) => (name === language ? [text] : []));
}

/** The pattern of a printed text: `…` stands for anything, and a line may be broken for the reader. */
export function toPattern(printed: string): RegExp {
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  return new RegExp(printed.trim().split(/…/).map((part) => part.split(/\n\s*/).map(escaped).join('\\s*')).join('.*'));
}

/** The answers that stand below the commands of a block. */
export function printedIn(shell: string): readonly string[] {
  return shell.split('\n').filter((line) => line.startsWith('#')).map((line) => line.slice(2)).join('\n').split(/\n(?=\{)/);
}

/** Another release: a copy of these sources with edits, in a directory from which an edge is bundled and an origin is run. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dir, '../..');
/** `origin-child.ts` is how a world runs its origin. */
const copied = ['edge', 'origin', 'shared', 'wasm/dist', 'package.json', 'tsconfig.json', 'wrangler.toml', 'test/support/origin-child.ts'];

/** `from` stands in the file once. */
export type Edit = readonly [file: string, from: string, to: string];

export interface Release {
  readonly dir: string;
  remove(): void;
}

export function makeRelease(edits: readonly Edit[], added: Readonly<Record<string, string>> = {}): Release {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-release-'));
  for (const path of copied) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    cpSync(join(root, path), join(dir, path), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'));
  for (const [file, from, to] of edits) {
    const parts = readFileSync(join(dir, file), 'utf8').split(from);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times, and not once: ${from}`);
    writeFileSync(join(dir, file), parts.join(to));
  }
  for (const [file, text] of Object.entries(added)) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), text);
  }
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

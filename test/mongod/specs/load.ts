import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { EJSON } from 'bson';
import type { Suite } from './schema.ts';

/** The published suites lie beside the project, never in it: their licence asks for what the project's does not. */
export const suitesPath = resolve(import.meta.dir, '../../../../shared/suites/mongodb-specs');

export const suitesAbsentReason = `the MongoDB driver suites are not beside the project (../shared/suites/mongodb-specs)`;

export const suitesPresent = () => existsSync(suitesPath);

export type LoadedFile = { readonly suiteName: string; readonly fileName: string; readonly suite: Suite };

/** Reads each directory's files in the order of their names; a path may also be one file. */
export function loadFiles(paths: readonly string[]): LoadedFile[] {
  return paths.flatMap(listFiles).map(path => ({
    suiteName: basename(dirname(path)),
    fileName: basename(path, '.json'),
    suite: parseSuite(readFileSync(path, 'utf8'), path),
  }));
}

function listFiles(path: string): string[] {
  if (!existsSync(path)) throw new Error(`no such file or directory: ${path}`);
  if (!statSync(path).isDirectory()) return [path];
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' });
  return names.filter(name => name.endsWith('.json')).sort().map(name => join(path, name));
}

/** Relaxed extended JSON: a plain number is a JavaScript number, which the driver writes as int or double. */
function parseSuite(text: string, path: string): Suite {
  const value: unknown = EJSON.parse(text, { relaxed: true });
  if (!isSuite(value)) throw new Error(`${path} is not a unified test file`);
  if (!value.schemaVersion.startsWith('1.')) throw new Error(`${path} has schema ${value.schemaVersion}; the runner knows 1.x`);
  return value;
}

/** The files are published with a schema of their own; the runner checks the marks, not every leaf. */
function isSuite(value: unknown): value is Suite {
  if (typeof value !== 'object' || value === null) return false;
  return 'schemaVersion' in value && typeof value.schemaVersion === 'string' && 'tests' in value && Array.isArray(value.tests);
}

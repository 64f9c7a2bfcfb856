/**
 * A secret that is made once and then stays: one file, readable by its owner alone. Two processes that make
 * it at the same moment end with the same one, and no reader ever sees half of it: it is written aside and
 * linked into place, which fails when another was first.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export async function openSecretFile(path: string, make: () => string | Promise<string>): Promise<string> {
  return readSecret(path) ?? keepFirst(path, await make());
}

function keepFirst(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const aside = `${path}.${process.pid}.${crypto.randomUUID()}`;
  writeFileSync(aside, text, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(aside, path);
    return text;
  } catch (cause) {
    const found = readSecret(path);
    if (found === undefined) throw cause;
    return found;
  } finally {
    rmSync(aside);
  }
}

/** A copied or unpacked data dir may have lost the mode: it is set again at each reading. */
function readSecret(path: string): string | undefined {
  try {
    chmodSync(path, 0o600);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** What the files below a folder take, in bytes; 0 where it is not there. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export function bytesUnder(dir: string): number {
  let bytes = 0;
  for (const path of filesUnder(dir)) bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return bytes;
}

function filesUnder(dir: string): readonly string[] {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  } catch (cause) {
    // One that is there and cannot be read is a fault.
    if ((cause as { code?: string }).code === 'ENOENT') return [];
    throw cause;
  }
}

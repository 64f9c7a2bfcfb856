/**
 * workerd without SIGINT: a terminal sends Ctrl-C to every program in the foreground, and workerd would die of it
 * while the origin still tells its streams to come back. A shell that ignores the signal becomes workerd, which
 * keeps ignoring it (POSIX: ignored signals stay ignored over exec). It ends when Miniflare ends it, and with the
 * terminal.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

/** Miniflare starts what this variable names in place of its own workerd. */
const variable = 'MINIFLARE_WORKERD_PATH';

/** Runs `start`; the workerd that is spawned meanwhile is shielded. */
export async function withShieldedWorkerd<T>(dir: string, start: () => Promise<T>): Promise<T> {
  const before = process.env[variable];
  process.env[variable] = writeShield(dir, before ?? workerdOfMiniflare());
  try {
    return await start();
  } finally {
    if (before === undefined) delete process.env[variable];
    else process.env[variable] = before;
  }
}

function writeShield(dir: string, workerd: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const path = join(dir, 'shielded-workerd');
  writeFileSync(path, `#!/bin/sh\ntrap '' INT\nexec '${workerd.replaceAll("'", "'\\''")}' "$@"\n`, { mode: 0o700 });
  return path;
}

function workerdOfMiniflare(): string {
  const require = createRequire(Bun.resolveSync('miniflare', import.meta.dir));
  return (require('workerd') as { readonly default: string }).default;
}

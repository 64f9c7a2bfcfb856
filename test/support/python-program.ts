/** Programs of PyPI, as `.ci/run` brings them (`.ci/requirements.txt`) or as they are on PATH. */
import { existsSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import type { Need } from './needs.ts';

const project = join(import.meta.dir, '../..');
/**
 * Several at once that ask a server as fast as they can would leave it no turn of two cores: it refuses what is dear then (503), as it
 * should, and nothing is wrong with it. So they come after it, as a client on another machine would.
 */
const niceness = 5;
const brought = join(project, 'node_modules/.cache/tombolo/python/bin');

export interface PythonProgram extends Need {
  /** Its output and its exit code. */
  run(parameters: readonly string[], env?: Readonly<Record<string, string>>): Promise<{ readonly output: string; readonly code: number }>;
}

export function pythonProgram(name: string): PythonProgram {
  const path = existsSync(join(brought, name)) ? join(brought, name) : Bun.which(name);
  return {
    met: path !== null,
    what: `${name}, which .ci/run brings`,
    async run(parameters, env = {}) {
      const child = Bun.spawn([path ?? name, ...parameters], {
        cwd: project, env: { ...process.env, ...env }, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe',
      });
      setPriority(child.pid, niceness);
      const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
      return { output: out + err, code };
    },
  };
}

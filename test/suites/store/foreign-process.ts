/** Starts `foreign-program.ts` and talks to it. */
import { join } from 'node:path';

export interface ForeignProcess {
  /** The text of SQLite's error, if it refused. */
  run(sql: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Ways to open the file that others have, by the pragmas that they set. */
export const foreignPrograms = [
  ['as it comes', []],
  ['with recursive triggers', ['recursive_triggers = ON']],
  ['with an untrusted schema', ['trusted_schema = OFF']],
] as const;

export function startForeignProcess(path: string, ...pragmas: string[]): ForeignProcess {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'foreign-program.ts'), path, ...pragmas], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const lines = linesOf(child.stdout);
  return {
    async run(sql) {
      child.stdin.write(`${JSON.stringify(sql)}\n`);
      await child.stdin.flush();
      const { value } = await lines.next();
      if (value === undefined) throw new Error('the foreign program ended');
      return (JSON.parse(value) as { readonly error?: string }).error;
    },
    async stop() {
      await child.stdin.end();
      await child.exited;
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  return undefined;
}

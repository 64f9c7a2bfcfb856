import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * mongo-java-server as a child process: an independent MongoDB to ask the same questions. Maven fetches it by name
 * into `.tombolo/`, once; Java runs it.
 */
const sourcePath = join(import.meta.dir, 'java');
const builtPath = join(import.meta.dir, '../../../.tombolo/second-opinion');

/** Fetching on a slow line; a start on a slow machine. */
const [buildMsMax, startMsMax] = [180_000, 20_000];

/** Why it cannot run on this machine, or undefined. Fetches and compiles on the first call. */
export function secondOpinionAbsent(): string | undefined {
  for (const tool of ['java', 'javac']) if (Bun.which(tool) === null) return `mongo-java-server needs ${tool}, which is not installed`;
  if (existsSync(join(builtPath, 'SecondOpinion.class'))) return undefined;
  if (Bun.which('mvn') === null) return 'mongo-java-server needs mvn (Maven) once, which is not installed';
  return build();
}

function build(): string | undefined {
  const pom = join(sourcePath, 'pom.xml');
  const jars = join(builtPath, 'lib');
  const steps = [
    ['mvn', '--quiet', '--batch-mode', '--file', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`],
    ['javac', '-cp', join(jars, '*'), '-d', builtPath, join(sourcePath, 'SecondOpinion.java')],
  ];
  for (const command of steps) {
    const { exitCode, stdout, stderr } = Bun.spawnSync(command, { timeout: buildMsMax });
    if (exitCode !== 0) return `mongo-java-server could not be fetched or compiled (${command[0]} ended with ${exitCode}): ${`${stdout}${stderr}`.trim().slice(0, 300)}`;
  }
  return undefined;
}

export async function startSecondOpinion(): Promise<{ readonly uri: string; close(): Promise<void> }> {
  const classPath = [join(builtPath, 'lib', '*'), builtPath].join(':');
  const child = Bun.spawn(['java', '-Xmx512m', '-cp', classPath, 'SecondOpinion'], { stdin: 'pipe', stdout: 'pipe', stderr: 'ignore' });
  const close = async () => {
    await child.stdin.end();
    await child.exited;
  };
  const timer = setTimeout(() => child.kill(), startMsMax);
  const line = await firstLine(child.stdout);
  clearTimeout(timer);
  if (line === undefined) throw new Error('mongo-java-server did not start');
  return { uri: line, close };
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | undefined> {
  let text = '';
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as never) as unknown as AsyncIterable<string>) {
    text += chunk;
    const end = text.indexOf('\n');
    if (end >= 0) return text.slice(0, end).trim();
  }
  return undefined;
}

/**
 * A stage of a Dockerfile carried out in a folder, without a container: what it copies and what it has Bun do, which is what
 * may be missing from it. Users, folders of the system and its packages are the image's own and left out.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Stage {
  /** Where `/app` of the image is. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly healthcheck: readonly string[];
}

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

export class Dockerfile {
  readonly #context: string;
  readonly #scratch: string;
  readonly #stages: ReadonlyMap<string, readonly Instruction[]>;
  readonly #done = new Map<string, Stage>();

  constructor(path: string, { context, scratch }: { readonly context: string; readonly scratch: string }) {
    this.#context = context;
    this.#scratch = scratch;
    this.#stages = toStages(readFileSync(path, 'utf8'));
  }

  /** What it takes from the context, in all stages. */
  get copied(): readonly string[] {
    return [...this.#stages.values()].flat().filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
  }

  carryOut(name: string): Stage {
    const known = this.#done.get(name);
    if (known !== undefined) return known;
    const dir = join(this.#scratch, name);
    mkdirSync(dir, { recursive: true });
    const env: Record<string, string> = {};
    let [entrypoint, healthcheck] = [[] as string[], [] as string[]];
    for (const { name: instruction, rest } of this.#stages.get(name) ?? []) {
      if (instruction === 'COPY') this.#copy(dir, rest);
      if (instruction === 'RUN' && rest.startsWith('bun ')) this.#run(dir, rest);
      if (instruction === 'ENV') Object.assign(env, Object.fromEntries(rest.split(' ').map((pair) => pair.split('='))));
      if (instruction === 'ENTRYPOINT') entrypoint = JSON.parse(rest) as string[];
      if (instruction === 'HEALTHCHECK') healthcheck = JSON.parse(rest.slice(rest.indexOf('['))) as string[];
    }
    const stage = { dir, env, entrypoint, healthcheck };
    this.#done.set(name, stage);
    return stage;
  }

  #run(dir: string, command: string): void {
    const env = { ...process.env, PATH: `${join(this.#context, 'node_modules/.bin')}:${process.env['PATH']}` };
    const { exitCode, stdout, stderr } = Bun.spawnSync(['sh', '-c', command], { cwd: dir, env });
    if (exitCode !== 0) throw new Error(`${command}\n${stdout}${stderr}`);
  }

  #copy(dir: string, rest: string): void {
    const [, from] = /^--from=(\S+) /.exec(rest) ?? [];
    const words = rest.split(' ').filter((word) => !word.startsWith('--'));
    const to = words.at(-1) ?? '';
    for (const word of words.slice(0, -1)) {
      const source = from === undefined ? join(this.#context, word) : join(this.carryOut(from).dir, word.replace(/^\/app\/?/, ''));
      const target = join(dir, to, to.endsWith('/') && from === undefined ? word : '');
      if (!existsSync(source)) throw new Error(`${source}, which the Dockerfile copies, is not there`);
      mkdirSync(dirname(target), { recursive: true });
      // What a stage is asked for, it is asked for once.
      if (from === undefined) cpSync(source, target, { recursive: true, verbatimSymlinks: true });
      else renameSync(source, target);
    }
  }
}

function toStages(text: string): ReadonlyMap<string, readonly Instruction[]> {
  const stages = new Map<string, Instruction[]>();
  let stage: Instruction[] = [];
  for (const line of text.replace(/^#.*\n/gm, '').replace(/\\\n\s*/g, '').split('\n')) {
    const [, name = '', rest = ''] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === 'FROM') stages.set(/ AS (\S+)$/.exec(rest)?.[1] ?? '', (stage = []));
    else if (name !== '') stage.push({ name, rest });
  }
  return stages;
}

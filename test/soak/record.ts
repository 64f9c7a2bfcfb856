/** What a soak leaves behind: `record.json` for programs, `RECORD.md` for people. A part's last run replaces the one before. */
import { cpus, platform, release, totalmem } from 'node:os';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from './parts.ts';

export interface PartRecord extends Outcome {
  readonly name: string;
  readonly date: string;
  readonly commit: string;
  readonly seed: number;
  readonly seconds: number;
}

interface SoakRecord {
  readonly machine: Readonly<Record<string, string | number>>;
  readonly parts: readonly PartRecord[];
}

const path = join(import.meta.dir, 'record.json');

export function machineNow(): SoakRecord['machine'] {
  return {
    system: `${platform()} ${release()}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    bun: Bun.version,
  };
}

/** `names`: all parts there are, in their order. */
export function writeRecord(machine: SoakRecord['machine'], fresh: readonly PartRecord[], names: readonly string[]): void {
  const before: readonly PartRecord[] = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as SoakRecord).parts : [];
  const parts = names.flatMap((name) => fresh.find((part) => part.name === name) ?? before.find((part) => part.name === name) ?? []);
  writeFileSync(path, `${JSON.stringify({ machine, parts }, undefined, 1)}\n`);
  writeFileSync(join(import.meta.dir, 'RECORD.md'), toText({ machine, parts }));
}

function toText({ machine, parts }: SoakRecord): string {
  const broken = parts.reduce((count, { violations }) => count + violations.length, 0);
  return [
    '# The last soak', '',
    `\`npm run soak\` on ${Object.entries(machine).map(([name, value]) => `${name} ${value}`).join(', ')}.`, '',
    broken === 0 ? 'Every promise held.' : `**${broken} violations.**`, '',
    ...parts.flatMap(({ name, date, commit, seed, seconds, figures, violations }) => [
      `## ${name}: ${violations.length === 0 ? 'held' : 'broken'}, ${seconds} s`, '', `${date}, state ${commit}, seed ${seed}.`, '',
      ...toLines(figures).map((line) => `- ${line}`), ...violations.slice(0, 20).map((violation) => `- **${violation}**`), '',
    ]),
  ].join('\n');
}

/** Figures as lines; of several runs, one line a run. */
function toLines(figures: object): readonly string[] {
  return Object.entries(figures).flatMap(([name, value]) =>
    Array.isArray(value) && name === 'runs'
      ? value.map((run, index) => `run ${index + 1}: ${toWords(run as object)}`)
      : [`${name}: ${typeof value === 'object' && value !== null ? toWords(value as object) : String(value)}`],
  );
}

function toWords(figures: object): string {
  return Object.entries(figures).map(([name, value]) => `${name} ${toWord(value)}`).join(', ');
}

function toWord(value: unknown): string {
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'object' && value !== null ? `(${toWords(value)})` : String(value);
}

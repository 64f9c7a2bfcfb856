/** One seed, run and judged; what was broken is left in a file, with the server's record of its commands. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { check } from '../check.ts';
import { type MongoFigures, runMongoHistory } from './run.ts';

export interface Verdict {
  readonly seed: number;
  /** Absent where the run itself broke off. */
  readonly figures: MongoFigures | undefined;
  /** What was broken, with the seed and the file: empty when every law held. */
  readonly violations: readonly string[];
}

/** Some seconds on a busy machine; what does not end is a violation too. */
const runMsMax = 120_000;
const dir = join(tmpdir(), 'tombolo-histories');

async function judgeSeed(seed: number): Promise<Verdict> {
  try {
    const { history, figures, commands } = await Promise.race([runMongoHistory(seed), tooLong()]);
    const violations = check(history).map(({ law, detail }) => `${law}: ${detail}`);
    if (violations.length === 0) return { seed, figures, violations };
    const kept = keep(seed, `${JSON.stringify({ violations, figures, history }, undefined, 1)}\n${commands}\n`);
    return { seed, figures, violations: violations.map((violation) => `seed ${seed}: ${violation}; see ${kept}`) };
  } catch (thrown) {
    return {
      seed,
      figures: undefined,
      violations: [
        `seed ${seed} broke off: ${thrown instanceof Error ? `${thrown.message} ${String(thrown.cause ?? '')}` : String(thrown)}`,
      ],
    };
  }
}

/** Judges `atOnce` seeds at a time: most of a run is waiting. */
export async function judgeSeeds(seeds: Iterable<number>, atOnce: number): Promise<readonly Verdict[]> {
  const left = seeds[Symbol.iterator]();
  const verdicts: Verdict[] = [];
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (let next = left.next(); next.done !== true; next = left.next()) verdicts.push(await judgeSeed(next.value));
  }));
  return verdicts;
}

async function tooLong(): Promise<never> {
  await Bun.sleep(runMsMax);
  throw new Error(`it did not end within ${runMsMax} ms`);
}

function keep(seed: number, text: string): string {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `seed-${seed}.txt`);
  writeFileSync(file, text);
  return file;
}

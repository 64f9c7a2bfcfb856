/**
 * Tests that need something which a machine may lack. Without it they are registered as skipped, with the
 * reason in their title, so that the last lines of the test command name both; on CI a skip is a failure.
 */
import { test } from 'bun:test';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Need {
  readonly met: boolean;
  /** Completes "needs …". */
  readonly what: string;
}

type TestBody = () => void | Promise<unknown>;

/** `test`, or its skipping twin. Use: `const javaTest = testThat(java);`. */
export function testThat(...needs: readonly Need[]): (title: string, body: TestBody, msMax?: number) => void {
  const missing = needs.filter((need) => !need.met);
  if (missing.length === 0) return (title, body, msMax) => test(title, body, msMax);
  const reason = missing.map((need) => need.what).join(' and ');
  return (title, body) => test.skip(`${title} (needs ${reason})`, body);
}

export const sharedDataDir = join(import.meta.dir, '../../../shared/data');

export const sharedData: Need = { met: existsSync(join(sharedDataDir, 'films.ndjson')), what: 'the data of ../shared/data' };

/** A program: `npm`, `java`, `redis-server`, `chromium`. */
export function onPath(command: string): Need {
  return { met: Bun.which(command) !== null, what: `${command} on PATH` };
}

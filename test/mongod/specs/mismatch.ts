import { inspect } from 'node:util';
import { reasonCharactersMax } from './limits.ts';

/** What was seen is not what the test file expects; `at` is the way to the value. */
export class Mismatch extends Error {
  override readonly name = 'Mismatch';

  constructor(at: string, why: string) {
    super(`${at}: ${why}`);
  }
}

export function must(condition: boolean, at: string, why: () => string): void {
  if (!condition) throw new Mismatch(at, why());
}

export function show(value: unknown): string {
  const text = inspect(value, { depth: 8, breakLength: Number.POSITIVE_INFINITY });
  return text.length > reasonCharactersMax ? `${text.slice(0, reasonCharactersMax)}…` : text;
}

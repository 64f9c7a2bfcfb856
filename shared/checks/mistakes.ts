/**
 * Mistakes in what is declared. They are gathered and not thrown, so that a start tells all of them at once, each in
 * a line that names file, resource and key; whoever starts something asks `mustBeSound` before anything is served.
 */

/** Notes a mistake at a key, and goes on. */
export type Refuse = (key: string, detail: string) => void;

export class Mistakes {
  readonly found: string[] = [];
  readonly #where: string;

  /** `where` begins every line. */
  constructor(where: string) {
    this.#where = where;
  }

  add(key: string, detail: string): void {
    this.found.push(`${this.#where}: ${key}: ${detail}`);
  }

  at(path: string): Refuse {
    return (key, detail) => this.add(path + key, detail);
  }
}

/** A refusal to start. */
export class DeclarationError extends Error {
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(
      mistakes.length === 1
        ? mistakes[0]
        : `${mistakes.length} mistakes in what is declared:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`,
    );
    this.name = 'DeclarationError';
    this.mistakes = mistakes;
  }
}

/** Keys that nobody reads are mistakes: they are words that were meant for others. */
export function refuseUnknown(given: object, known: readonly string[], refuse: Refuse): void {
  for (const key of Object.keys(given)) if (!known.includes(key)) refuse(key, `unknown key; known are ${known.join(', ')}`);
}

/** What is no object where one is declared is a mistake, and is read as an empty one. */
export function toObject<T extends object>(given: T | undefined, refuse: (detail: string) => void): T {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  if (given !== undefined) refuse('must be an object');
  return asEmpty<T>();
}

/** Every member of what is read so is optional. */
function asEmpty<T extends object>(): T {
  return {} as T;
}

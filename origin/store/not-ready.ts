/** A database that cannot be served from as it is: a refusal to start, which tells all that is missing and what mends it. */
export class StoreNotReady extends Error {
  /** Nobody has to mend anything: it may be away for a moment. */
  readonly isPassing: boolean;
  /** Other processes have it, until they end: one that has it alone, or several of another declaration. */
  readonly isOthers: boolean;

  constructor(name: string, problems: readonly string[], { isPassing = false, isOthers = false } = {}) {
    super(`the database "${name}" is not ready for Tombolo:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'StoreNotReady';
    this.isPassing = isPassing;
    this.isOthers = isOthers;
  }
}

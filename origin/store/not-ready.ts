/** A database that cannot be served from as it is: a refusal to start, which tells all that is missing and what mends it. */
export class StoreNotReady extends Error {
  constructor(name: string, problems: readonly string[]) {
    super(`the database "${name}" is not ready for Tombolo:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'StoreNotReady';
  }
}

/** A command of the database as a line to be pasted into mongosh. */
export function toMongosh(command: object): string {
  return `db.runCommand(${JSON.stringify(command)})`;
}

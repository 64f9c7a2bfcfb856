/** The caller who pays. Where nobody tells addresses apart, all who are not signed in are one caller. */
export function callerOf(subject: string | undefined, network: string | undefined): string {
  return subject === undefined ? `address:${network ?? 'unknown'}` : `subject:${subject}`;
}

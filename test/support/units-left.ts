/** What an answer says is left to its caller, of the longest window: that one gives nothing back while a test runs. */
export function unitsLeft(headers: Headers): number {
  return Number([...(headers.get('ratelimit') ?? '').matchAll(/r=(\d+)/g)].at(-1)?.[1]);
}

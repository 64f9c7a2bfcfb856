/**
 * Waiting for what will be so, with an end: a test never sleeps for as long as it hopes something takes. The end is far
 * off, because only what never comes is to fail, and not what a busy machine does late.
 */

export interface Wait {
  readonly msMax?: number;
  readonly everyMs?: number;
}

/** The first value of `look` that is neither `undefined` nor `false`; throws, with what was last seen, at the end. */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { msMax = 30_000, everyMs = 10 }: Wait = {},
): Promise<T> {
  const until = performance.now() + msMax;
  let last: unknown;
  for (;;) {
    try {
      const seen = await look();
      if (seen !== undefined && seen !== false) return seen;
      last = undefined;
    } catch (cause) {
      last = cause;
    }
    if (performance.now() > until) throw new Error(`not within ${msMax} ms: ${what}`, { cause: last });
    await Bun.sleep(everyMs);
  }
}

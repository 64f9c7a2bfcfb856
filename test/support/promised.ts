/**
 * What comes in `ms`, as a promise of the product says; otherwise `undefined`. That time is taken in pauses of ten
 * milliseconds, each of which a busy machine lengthens as it does all that happens meanwhile.
 */
export async function promised<T>(ms: number, coming: Promise<T>): Promise<T | undefined> {
  let come: Promise<T> | undefined;
  void coming.finally(() => (come = coming)).catch(() => undefined);
  for (let left = ms; come === undefined && left > 0; left -= 10) await Bun.sleep(10);
  return come;
}

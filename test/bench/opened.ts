/** What a benchmark starts, and how all of it ends. */

export type Disposals = (() => unknown)[];

/** What `open` starts, with its end: what it notes is closed then, the last one first, and at once where it fails. */
export async function opened<World extends object>(
  open: (disposals: Disposals) => Promise<World>,
): Promise<World & { close(): Promise<void> }> {
  const disposals: Disposals = [];
  const close = async () => {
    for (let dispose = disposals.pop(); dispose !== undefined; dispose = disposals.pop()) await dispose();
  };
  try {
    return { ...(await open(disposals)), close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

/** A start looks at each collection: one after the other it would be as many times as long on the way as there are collections. */
const askedAtOnceMax = 8;

/** What `ask` gives for each, in their order, some of them at once; the first failure is thrown when what is under way has ended. */
export async function askedAtOnce<Item, Told>(items: Iterable<Item>, ask: (item: Item) => Promise<Told>): Promise<readonly Told[]> {
  const all = [...items];
  const left = all.entries();
  const told: Told[] = [];
  const lanes = Array.from({ length: askedAtOnceMax }, async () => {
    for (const [index, item] of left) told[index] = await ask(item);
  });
  for (const { status, reason } of (await Promise.allSettled(lanes)) as { status: string; reason?: unknown }[]) {
    if (status === 'rejected') throw reason;
  }
  return told;
}

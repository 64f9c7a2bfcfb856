/** A start looks at each collection: one after the other it would be as many times as long on the way as there are collections. */
const askedAtOnceMax = 8;

/** What `ask` gives for each, in their order, some of them at once; where one fails, that is thrown when the others have been asked. */
export async function askedAtOnce<Item, Told>(items: Iterable<Item>, ask: (item: Item) => Promise<Told>): Promise<readonly Told[]> {
  const all = [...items];
  const left = all.entries();
  const told: Told[] = [];
  const lanes = Array.from({ length: askedAtOnceMax }, async () => {
    for (const [index, item] of left) told[index] = await ask(item);
  });
  const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return told;
}

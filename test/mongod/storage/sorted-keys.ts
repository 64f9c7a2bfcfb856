// An ordered set of (key, record id): the tree under every index.
//
// Two levels: a list of leaves of at most 512 entries. An insert moves one leaf's tail; splits touch the list. Walks
// survive changes made between two steps: they note where they stand and look the place up again.
const LEAF_MAX = 512;

type Leaf = { keys: string[]; ids: number[] };
type Bound = { key: string; id: number };

export class SortedKeys {
  private readonly leaves: Leaf[] = [{ keys: [], ids: [] }];
  private changes = 0;
  size = 0;

  add(key: string, id: number): boolean {
    const at = this.leafFor(key, id);
    const leaf = this.leaves[at] as Leaf;
    const slot = slotOf(leaf, key, id);
    if (leaf.keys[slot] === key && leaf.ids[slot] === id) return false;
    if (slot === leaf.keys.length) { leaf.keys.push(key); leaf.ids.push(id); }
    else { leaf.keys.splice(slot, 0, key); leaf.ids.splice(slot, 0, id); }
    if (leaf.keys.length > LEAF_MAX) this.split(at, slot);
    this.changes++;
    this.size++;
    return true;
  }

  remove(key: string, id: number): boolean {
    const at = this.leafFor(key, id);
    const leaf = this.leaves[at] as Leaf;
    const slot = slotOf(leaf, key, id);
    if (leaf.keys[slot] !== key || leaf.ids[slot] !== id) return false;
    leaf.keys.splice(slot, 1);
    leaf.ids.splice(slot, 1);
    if (leaf.keys.length === 0 && this.leaves.length > 1) this.leaves.splice(at, 1);
    this.changes++;
    this.size--;
    return true;
  }

  // Entries from `low` (included) to `high` (excluded), in either direction.
  *walk(low: string, high: string, reverse = false): Generator<Bound> {
    let at = reverse ? this.before({ key: high, id: -1 }) : this.from({ key: low, id: -1 });
    let seen = this.changes;
    for (;;) {
      const leaf = this.leaves[at.leaf];
      const key = leaf?.keys[at.slot];
      if (leaf === undefined || key === undefined || (reverse ? key < low : key >= high)) return;
      const entry = { key, id: leaf.ids[at.slot] as number };
      yield entry;
      if (seen !== this.changes) {
        seen = this.changes;
        at = reverse ? this.before(entry) : this.from({ key: entry.key, id: entry.id + 1 });
      } else this.step(at, reverse);
    }
  }

  // The ids under one exact key.
  idsOf(key: string): number[] {
    const out: number[] = [];
    const at = this.from({ key, id: -1 });
    for (let leaf = this.leaves[at.leaf]; leaf && leaf.keys[at.slot] === key; leaf = this.leaves[at.leaf]) {
      out.push(leaf.ids[at.slot] as number);
      this.step(at, false);
    }
    return out;
  }

  private from({ key, id }: Bound): { leaf: number; slot: number } {
    const leaf = this.leafFor(key, id);
    const at = { leaf, slot: slotOf(this.leaves[leaf] as Leaf, key, id) };
    if (at.slot >= (this.leaves[leaf] as Leaf).keys.length) { at.leaf++; at.slot = 0; }
    return at;
  }

  private before(bound: Bound): { leaf: number; slot: number } {
    const leaf = this.leafFor(bound.key, bound.id);
    const at = { leaf, slot: slotOf(this.leaves[leaf] as Leaf, bound.key, bound.id) };
    this.step(at, true);
    return at;
  }

  private step(at: { leaf: number; slot: number }, reverse: boolean): void {
    if (reverse) {
      if (--at.slot < 0) at.slot = (this.leaves[--at.leaf]?.keys.length ?? 0) - 1;
    } else if (++at.slot >= (this.leaves[at.leaf] as Leaf).keys.length) { at.leaf++; at.slot = 0; }
  }

  // The last leaf whose first entry is not above the bound.
  private leafFor(key: string, id: number): number {
    let low = 0;
    let high = this.leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      const leaf = this.leaves[middle] as Leaf;
      const first = leaf.keys[0] as string;
      if (first < key || (first === key && (leaf.ids[0] as number) <= id)) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  // A leaf that grows at its end is left full, so that ascending keys pack tightly.
  private split(at: number, slot: number): void {
    const leaf = this.leaves[at] as Leaf;
    const cut = slot === leaf.keys.length - 1 && at === this.leaves.length - 1 ? leaf.keys.length - 1 : leaf.keys.length >>> 1;
    this.leaves.splice(at + 1, 0, { keys: leaf.keys.splice(cut), ids: leaf.ids.splice(cut) });
  }
}

function slotOf(leaf: Leaf, key: string, id: number): number {
  let low = 0;
  let high = leaf.keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const at = leaf.keys[middle] as string;
    if (at < key || (at === key && (leaf.ids[middle] as number) < id)) low = middle + 1;
    else high = middle;
  }
  return low;
}

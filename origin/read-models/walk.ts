/** All rows of a read model made from nothing, some keys at a time; whoever is cut short goes on from what was committed. */
import type { Resource } from '../../shared/contract/resource.ts';
import { toIndex } from '../../shared/contract/shapes.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { SortValue } from '../../shared/wire/values.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import { inTime } from '../feed/consumer.ts';
import { pause } from '../pause.ts';
import type { ListRequest, Row } from '../store/store.ts';
import { readModelLimits } from './limits.ts';
import { beginning, type Progress, progress, progressIn, type Reached, stepping } from './progress.ts';
import type { ReadModel } from './read-model.ts';
import { keyIn, type Rows } from './rows.ts';

export class Walk {
  readonly #model: ReadModel;
  readonly #context: Context;
  readonly #rows: Rows;
  readonly #onTrouble: (message: string, cause: unknown) => void;
  /** Keys whose rows this process has made in the run; the consumer keeps them right from then on. */
  readonly #made = new Set<string>();
  #run: string | undefined;

  constructor(model: ReadModel, context: Context, rows: Rows, onTrouble: (message: string, cause: unknown) => void) {
    this.#model = model;
    this.#context = context;
    this.#rows = rows;
    this.#onTrouble = onTrouble;
  }

  /** Goes on until `signal`, and begins again where it is asked to; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isComplete = await this.#step(signal).catch((cause: unknown) => {
        if (cause instanceof Fault && cause.reason === 'cursor_moved') return false;
        if (!signal.aborted) this.#onTrouble(`read model ${this.#model.name}: rows could not be made, and are tried again`, cause);
        return true;
      });
      if (isComplete) await pause(readModelLimits.lookMs, signal);
    }
  }

  /** True: there is nothing to be done. */
  async #step(signal: AbortSignal): Promise<boolean> {
    const { name } = this.#model;
    const { store, feed } = this.#context;
    const found = (await store.get(progress, name, inTime())).value?.value;
    if (found === undefined) {
      await store.write([beginning(name)], inTime());
      return false;
    }
    const at = progressIn(found);
    if (at.stage === 'complete') return true;
    const through = feed.through;
    const documents = await this.#next(at);
    const keys = this.#unmade(at, documents);
    const rows = await this.#rows.make(keys, through, signal);
    const step = stepping(name, at, this.#after(at, documents), keys);
    const { outcomes } = await store.write([...rows, step], { ...inTime(), atomic: true });
    const refused = outcomes.find((outcome) => outcome.kind === 'refused');
    if (refused !== undefined) throw refused.fault;
    if (this.#made.size > readModelLimits.keysKnownMax) this.#made.clear();
    for (const key of keys) this.#made.add(key);
    return false;
  }

  async #next({ stage, source, after }: Progress): Promise<readonly Row[]> {
    const { from, into } = this.#model;
    const of: Resource | undefined = stage === 'sources' ? from[source]?.of : into;
    if (of === undefined) return [];
    const keys = after === '' ? undefined : (JSON.parse(after) as readonly SortValue[]);
    const { walkedAtOnce: limit } = readModelLimits;
    const request: ListRequest = { equal: {}, range: undefined, sort: idOrder, where: true, after: keys, limit };
    const { store, feed } = this.#context;
    return (await store.list(byId(mustBeServed(this.#context, of)), request, { ...inTime(), atLeast: feed.through })).value;
  }

  #unmade({ run, stage, source: index }: Progress, rows: readonly Row[]): ReadonlySet<string> {
    if (run !== this.#run) this.#made.clear();
    this.#run = run;
    const source = this.#model.from[index];
    const keyOf = ({ document }: Row) =>
      stage === 'rows' || source === undefined ? document.id : keyIn(this.#model, source, { ...document.value, id: document.id });
    return new Set(rows.flatMap((row) => keyOf(row) ?? []).filter((key) => !this.#made.has(key)));
  }

  #after({ stage, source }: Progress, rows: readonly Row[]): Reached {
    const last = rows.length < readModelLimits.walkedAtOnce ? undefined : rows.at(-1);
    if (last !== undefined) return { stage, source, after: JSON.stringify(last.keys) };
    if (stage === 'rows') return { stage: 'complete', source, after: '' };
    const next = source + 1;
    return { stage: next < this.#model.from.length ? 'sources' : 'rows', source: next, after: '' };
  }
}

const idOrder = [{ field: 'id', descending: false }];

/** Both engines have documents in the order of their ids without an index that is declared. */
function byId(resource: Resource): Resource {
  return { ...resource, indexes: [...resource.indexes, toIndex([], idOrder, () => false)] };
}

/** All rows of a read model made from nothing, some keys at a time; whoever is cut short goes on from what was committed. */
import type { Resource } from '../../shared/contract/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { type Position, reaches } from '../../shared/wire/position.ts';
import type { SortValue } from '../../shared/wire/values.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import { consumerLimits, inTime } from '../feed/consumer.ts';
import { pause } from '../pause.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { ListRequest, Mutation, Row } from '../store/store.ts';
import { readModelLimits } from './limits.ts';
import { beginning, type Progress, progress, progressOf, type Reached, stepping } from './progress.ts';
import type { ReadModel } from './read-model.ts';
import { keyIn, type Rows } from './rows.ts';
import { idOrder, indexById, removingBeside, rowsBesideOf } from './rows-beside.ts';

/** What a step writes, the keys whose rows these are, and where it ends. */
interface Step {
  readonly writes: readonly Mutation[];
  readonly keys: ReadonlySet<string> | 'all';
  readonly to: Reached;
}

export class Walk {
  readonly #model: ReadModel;
  readonly #context: Context;
  readonly #rows: Rows;
  readonly #onTrouble: (message: string, cause: unknown) => void;
  /** Keys whose rows this process has made in the run; the consumer keeps them right from then on. */
  readonly #made = new Set<string>();
  #run: string | undefined;
  /** All that the run may have read was committed by then. */
  #readBy: Position | undefined;
  /** What followed from changes up to here is committed. */
  #reached: Position | undefined;
  /** There while rows made beside take their places: the consumer makes none meanwhile, or this would never end. */
  #switching: PromiseWithResolvers<void> | undefined;

  constructor(model: ReadModel, context: Context, rows: Rows, onTrouble: (message: string, cause: unknown) => void) {
    this.#model = model;
    this.#context = context;
    this.#rows = rows;
    this.#onTrouble = onTrouble;
  }

  /** Resolves where no rows are about to take their places. */
  async switched(): Promise<void> {
    await this.#switching?.promise;
  }

  /** The consumer has come this far. */
  reached(through: Position): void {
    this.#reached = through;
  }

  /** Goes on until `signal`, and begins again where it is asked to; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const waitMs = await this.#step(signal).catch((cause: unknown) => {
        if (cause instanceof Fault && cause.reason === 'cursor_moved') return 0;
        this.#letGoOn();
        if (!signal.aborted) this.#onTrouble(`read model ${this.#model.name}: rows could not be made, and are tried again`, cause);
        return readModelLimits.lookMs;
      });
      if (waitMs > 0) await pause(waitMs, signal);
    }
    this.#letGoOn();
  }

  #letGoOn(): void {
    this.#switching?.resolve();
    this.#switching = undefined;
  }

  /** In how many milliseconds the next one is due. */
  async #step(signal: AbortSignal): Promise<number> {
    const { store } = this.#context;
    const at = progressOf(this.#model, (await store.get(progress, this.#model.name, inTime())).value?.value);
    if (at?.stage !== 'switch') this.#letGoOn();
    if (at === undefined) {
      await store.write([beginning(this.#model)], inTime());
      return 0;
    }
    if (at.stage === 'complete') return readModelLimits.lookMs;
    if (at.run !== this.#run) this.#beginRun(at.run);
    if (isMade(at) && !(await this.#hasCaughtUp())) return readModelLimits.behindMs;
    if (at.stage === 'switch') this.#switching ??= Promise.withResolvers();
    const { writes, keys, to } = await this.#next(at, signal);
    const deadline = Date.now() + (at.stage === 'switch' ? readModelLimits.switchMsMax : consumerLimits.writeMsMax);
    const { outcomes } = await store.write([...writes, stepping(this.#model, at, to, keys)], { deadline, atomic: true });
    mustNoneBeRefused(outcomes);
    if (this.#made.size > readModelLimits.keysKnownMax) this.#made.clear();
    for (const key of keys === 'all' ? [] : keys) this.#made.add(key);
    return 0;
  }

  #beginRun(run: string): void {
    this.#run = run;
    this.#made.clear();
    this.#readBy = undefined;
  }

  /**
   * A step reads documents as they are, which may be later than what the consumer has come to: until it has, a document that has
   * moved from one row to another may be in both, or in none.
   */
  async #hasCaughtUp(): Promise<boolean> {
    this.#readBy ??= await this.#context.store.head();
    return this.#reached !== undefined && reaches(this.#reached, this.#readBy);
  }

  #next(at: Progress, signal: AbortSignal): Promise<Step> {
    if (at.stage === 'clear') return this.#clear(at);
    return at.stage === 'switch' ? this.#switch(at) : this.#make(at, signal);
  }

  async #clear({ isBeside, source }: Progress): Promise<Step> {
    const writes = await removingBeside(this.#context.store, this.#model.name, readModelLimits.walkedAtOnce);
    const stage = writes.length > 0 ? 'clear' : isBeside ? 'sources' : 'complete';
    return { writes, keys: new Set(), to: { stage, source, after: '' } };
  }

  async #make(at: Progress, signal: AbortSignal): Promise<Step> {
    const atLeast = this.#context.feed.through;
    const documents = await this.#documents(at);
    // Made by the consumer since the last step: keys whose documents change all the time would hold up the walk for ever.
    for (const key of at.beside) this.#made.add(key);
    const keys = this.#unmade(at, documents);
    return { writes: await this.#rows.make(keys, { isBeside: at.isBeside, atLeast }, signal), keys, to: this.#after(at, documents) };
  }

  /** All at once, and rows that nothing made are taken out; past the bound each row takes its place when it is made. */
  async #switch({ source }: Progress): Promise<Step> {
    const { switchedMax } = readModelLimits;
    const made = await rowsBesideOf(this.#context.store, this.#model.name, switchedMax);
    const request = { ...everything, limit: switchedMax + 1 };
    const { value: served } = await this.#context.store.list(this.#byId(this.#model.into), request, inTime());
    if (made === undefined || served.length > switchedMax) {
      const { name } = this.#model;
      this.#onTrouble(`read model ${name} has more than ${switchedMax} rows: each is served as soon as it is made anew`, undefined);
      return { writes: [], keys: new Set(), to: { run: crypto.randomUUID(), isBeside: false, stage: 'sources', source: 0, after: '' } };
    }
    const gone = served.map(({ document: { id } }) => id).filter((id) => !made.has(id));
    const writes = [...[...made].map(([key, row]) => this.#rows.write(key, row)), ...gone.map((id) => this.#rows.write(id, undefined))];
    return { writes, keys: 'all', to: { isBeside: false, stage: 'clear', source, after: '' } };
  }

  async #documents({ stage, source, after }: Progress): Promise<readonly Row[]> {
    const { from, into } = this.#model;
    const of: Resource | undefined = stage === 'sources' ? from[source]?.of : into;
    if (of === undefined) return [];
    const keys = after === '' ? undefined : (JSON.parse(after) as readonly SortValue[]);
    const request: ListRequest = { ...everything, after: keys, limit: readModelLimits.walkedAtOnce };
    const { store, feed } = this.#context;
    return (await store.list(this.#byId(of), request, { ...inTime(), atLeast: feed.through })).value;
  }

  #byId(resource: Resource): Resource {
    const { indexes, ...served } = mustBeServed(this.#context, resource);
    return { ...served, indexes: [...indexes, indexById] };
  }

  #unmade({ stage, source: index }: Progress, rows: readonly Row[]): ReadonlySet<string> {
    const source = this.#model.from[index];
    const keyOf = ({ document }: Row) =>
      stage === 'rows' || source === undefined ? document.id : keyIn(this.#model, source, { ...document.value, id: document.id });
    return new Set(rows.flatMap((row) => keyOf(row) ?? []).filter((key) => !this.#made.has(key)));
  }

  #after({ stage, source, isBeside }: Progress, rows: readonly Row[]): Reached {
    const last = rows.length < readModelLimits.walkedAtOnce ? undefined : rows.at(-1);
    if (last !== undefined) return { stage, source, after: JSON.stringify(last.keys) };
    if (stage === 'rows') return { stage: 'clear', source, after: '' };
    const next = source + 1;
    const isLast = next === this.#model.from.length;
    return { stage: !isLast ? 'sources' : isBeside ? 'switch' : 'rows', source: next, after: '' };
  }
}

/** Whether all rows have been made. */
function isMade({ stage, isBeside }: Progress): boolean {
  return stage === 'switch' || (stage === 'clear' && !isBeside);
}

const everything: Omit<ListRequest, 'limit'> = { equal: {}, range: undefined, sort: idOrder, where: true, after: undefined };

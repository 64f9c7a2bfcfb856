/**
 * The rows of one upload as writes of its caller, a batch a commit. Where it opens, the upload's nonce is spent, before a
 * byte is read: a captured upload cannot be sent again. It holds one of its caller's places until it is closed.
 */
import type { OnDuplicate } from '../../shared/operations/import-query.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { nonceOf } from '../documents/write-one.ts';
import type { ImportReport } from './report.ts';
import type { ImportRow } from './row.ts';
import { toMutation } from './write-row.ts';

export class RowWriter {
  readonly #context: Context;
  readonly #call: Asked;
  readonly #onDuplicate: OnDuplicate;
  readonly #giveBack: () => void;

  private constructor(context: Context, call: Asked, given: { readonly onDuplicate: OnDuplicate; readonly giveBack: () => void }) {
    this.#context = context;
    this.#call = call;
    this.#onDuplicate = given.onDuplicate;
    this.#giveBack = given.giveBack;
  }

  static async open(context: Context, call: Asked, onDuplicate: OnDuplicate): Promise<RowWriter> {
    mustTakeRows(call, onDuplicate);
    // What goes on behind its answer has a share of its own.
    const giveBack = call.course === undefined ? context.imports.mustTake(call.principal) : () => undefined;
    try {
      await context.store.write([], { deadline: call.deadline, ...nonceOf(call) });
      return new RowWriter(context, call, { onDuplicate, giveBack });
    } catch (thrown) {
      giveBack();
      throw thrown;
    }
  }

  async commit(batch: readonly ImportRow[], report: ImportReport): Promise<void> {
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#call.course?.mustGoOn();
    const [call, nowMs] = [this.#call, this.#context.now()];
    if (nowMs >= call.deadline) throw new Fault('deadline_exceeded');
    const mutations = batch.map((row) => toMutation(this.#context, call, row, { onDuplicate: this.#onDuplicate, nowMs, report }));
    const { outcomes, position } = await this.#context.store.write(mutations, { deadline: call.deadline });
    outcomes.forEach((outcome, index) => report.count(batch[index]?.number ?? 0, outcome));
    report.lastCommittedRow = last.number;
    call.course?.note(report.progress);
    if (outcomes.some(({ kind }) => kind === 'written')) report.writtenAt = position;
  }

  /** Gives its place back, once however often it is called. */
  close(): void {
    this.#giveBack();
  }
}

function mustTakeRows({ idempotency, resource }: Asked, onDuplicate: OnDuplicate): void {
  mustBeUnrepeated(idempotency);
  if (resource.preconditions === 'required' && onDuplicate !== 'reject' && onDuplicate !== 'skip') {
    throw new Fault('precondition_required', {
      detail: 'rows cannot say which document was read: import here with onDuplicate=reject or skip',
    });
  }
}

/** No key is for a stream, which cannot be told from another one. */
export function mustBeUnrepeated(idempotency: Asked['idempotency']): void {
  if (idempotency === undefined) return;
  throw new Fault('idempotency_refused', { detail: 'an import commits in batches; repeat it with onDuplicate=skip instead' });
}

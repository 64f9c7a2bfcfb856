// A multi-document transaction: its snapshot, its uncommitted writes, its end.
//
//   active → committed
//          → aborted     (abortTransaction, an error in a statement, a newer txnNumber, expiry, step-down)
import { fail } from '../errors.ts';
import type { Operation } from '../replica/oplog.ts';
import type { Collection } from '../storage/collection.ts';
import type { Holder, StoredRecord, View } from '../storage/records.ts';

export class Transaction implements Holder {
  readonly key: string;
  readonly txnNumber: bigint;
  readonly view: View;
  readonly startedAt: number;
  readonly settled: Promise<void>;
  state: 'active' | 'committed' | 'aborted' = 'active';
  readonly operations: Operation[] = [];
  readonly created: Collection[] = [];
  readonly undo: (() => void)[] = []; // takes back what was made outside of records
  private readonly records = new Map<StoredRecord, Collection>();
  private settle: () => void = () => undefined;

  constructor(key: string, txnNumber: bigint, snapshotAt: number, startedAt: number) {
    this.key = key;
    this.txnNumber = txnNumber;
    this.view = { at: snapshotAt, holder: this };
    this.startedAt = startedAt;
    this.settled = new Promise(resolve => { this.settle = resolve; });
  }

  wrote(collection: Collection, record: StoredRecord, operation: Operation): void {
    if (this.state !== 'active') throw fail('NoSuchTransaction', `Transaction with { txnNumber: ${this.txnNumber} } has been aborted.`);
    this.records.set(record, collection);
    this.operations.push(operation);
  }

  touches(collection: Collection): boolean {
    for (const touched of this.records.values()) if (touched === collection) return true;
    return false;
  }

  commit(at: number, onObsolete: (collection: Collection, record: StoredRecord) => void): void {
    for (const [record, collection] of this.records) collection.commit(record, at, obsolete => onObsolete(collection, obsolete));
    for (const collection of this.created) collection.maker = null;
    this.end('committed');
  }

  abort(): void {
    if (this.state !== 'active') return;
    for (const [record, collection] of this.records) collection.abort(record);
    for (const step of this.undo.reverse()) step();
    this.end('aborted');
  }

  private end(state: 'committed' | 'aborted'): void {
    this.state = state;
    this.settle();
  }
}

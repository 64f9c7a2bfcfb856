// A stored document with its versions: what each reader may see, and until when the old is kept.
//
//   pending (an open transaction's) → head (newest committed) → older → older …
//
// A version is dropped once every reader's time is past its successor (`Collection.prune`).
import type { Doc } from '../values/types.ts';

export type Version = { at: number; doc: Doc | null; older: Version | null };

// Who holds an uncommitted version; `settled` resolves when the transaction ends either way.
export type Holder = { readonly settled: Promise<void> };

export type StoredRecord = {
  readonly id: number;
  readonly key: string;
  head: Version | null;
  pending: { holder: Holder; doc: Doc | null } | null;
  // The deleted record of the same _id, kept for older snapshots.
  prior: StoredRecord | null;
};

// `at` Infinity reads the newest committed state.
export type View = { at: number; holder: Holder | null };

export const LATEST: View = { at: Infinity, holder: null };

export function visible(record: StoredRecord, view: View): Doc | null {
  if (record.pending !== null && record.pending.holder === view.holder) return record.pending.doc;
  let version = record.head;
  while (version !== null && version.at > view.at) version = version.older;
  return version === null ? null : version.doc;
}
export const latestDoc = (record: StoredRecord): Doc | null => visible(record, LATEST);

/**
 * What an import reads before its answer's head goes out. An input that is refused as a whole is a problem document;
 * one that ends at once is known in full, position included; of any other the head does not wait for the rest.
 */
import { limits } from '../../shared/wire/limits.ts';
import { late, within } from '../within.ts';
import type { ParsedRow } from './row.ts';

export type Rows = AsyncGenerator<readonly ParsedRow[]>;

export interface Begun {
  /** Whether nothing comes behind what was read. */
  readonly isWhole: boolean;
  /** All rows, those that were read among them. */
  readonly rows: Rows;
}

/** Throws what the first read throws; a later failure stands where `rows` meets it. */
export async function readAhead(rows: Rows): Promise<Begun> {
  const until = performance.now() + limits.importHeadMsMax;
  const read: ParsedRow[] = [];
  let next = await rows.next();
  while (next.done !== true) {
    for (const row of next.value) read.push(row);
    const pending = rows.next();
    // A failure is kept by `pending`.
    const met = pending.catch(() => undefined);
    const came = read.length < limits.importHeadRowsMax ? await within(until - performance.now(), met) : late;
    if (came === undefined || came === late) return { isWhole: false, rows: goOn(read, pending, rows) };
    next = came;
  }
  return { isWhole: true, rows: goOn(read) };
}

async function* goOn(read: readonly ParsedRow[], pending?: ReturnType<Rows['next']>, rest?: Rows): Rows {
  try {
    yield read;
    const next = await pending;
    if (next === undefined || next.done === true) return;
    yield next.value;
    if (rest !== undefined) yield* rest;
  } finally {
    // The end of the upload is not awaited: it may hang.
    rest?.return(undefined).catch(() => undefined);
  }
}

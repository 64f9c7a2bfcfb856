/**
 * The documents of an export as bytes, chunk by chunk: each is one step through the held state, made when it is asked for, and
 * small enough to hold the loop for some 2 ms. What cannot go on ends with a mark that says so, where its form has marks.
 */
import { Fault, toFault } from '../../shared/wire/fault.ts';
import type { SortValue } from '../../shared/wire/values.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { ExportMark } from '../../shared/operations/export-mark.ts';
import type { RowForm } from '../../shared/operations/row-form.ts';
import { othersTurn } from '../others-turn.ts';
import type { HeldState, ListRequest, Row } from '../store/store.ts';
import type { StoredDocument } from '../store/stored-document.ts';
import type { From, Walk } from './walk.ts';

export interface Exporting {
  readonly held: HeldState;
  readonly walk: Walk;
  /** Behind which document it begins. */
  readonly after: ListRequest['after'];
  readonly form: RowForm;
  /** As JSON; throws for a document that nobody may be shown. */
  present(document: StoredDocument): string;
  /** The cursor behind a document. */
  sign(keys: readonly SortValue[]): string;
  /** The token of the state that is shown. */
  readonly position: string;
  /** Until when the next step must be made, in milliseconds of the epoch; throws where there may be none. */
  mustGoOn(): number;
  /** Told where it breaks off, before its last mark. */
  onStopped(fault: Fault): void;
  /** Told once it has ended, however it does. */
  onEnded(): void;
}

/** A step: how many it has met, the documents among them as they are given out, and why there is none behind them. */
interface Step {
  readonly met: number;
  /** Characters that it has read. */
  readonly read: number;
  readonly texts: readonly string[];
  /** The keys up to which all is given. */
  readonly last: readonly SortValue[] | undefined;
  readonly end: 'complete' | Fault | undefined;
}

interface StepFrom extends From {
  readonly passedOver: number;
}

export async function* exportedRows(exporting: Exporting): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const { held, form, position, walk } = exporting;
  let [rows, met, marked, limit, after] = [0, 0, 0, limits.exportFirstRows as number, exporting.after];
  const mark = (told: Partial<ExportMark>) =>
    form.mark?.({ rows, next: after === undefined ? null : exporting.sign(after), ...told }) ?? '';
  try {
    for (let begin: string | undefined = form.begin; ; ) {
      const { texts, last = after, end, ...step } = await toStep(exporting, { after, limit, passedOver: met - rows });
      // Nothing has been answered yet: it is a refusal.
      if (end instanceof Error && begin !== undefined && texts.length === 0) throw end;
      const text: string = (begin ?? '') + texts.map((each) => form.row(each, rows++ === 0)).join('');
      [after, met] = [last, met + step.met];
      if (end === 'complete') return yield toBytes(text + form.end + mark({ complete: true, next: null, position }));
      if (end !== undefined) {
        exporting.onStopped(end);
        if (form.mark === undefined) throw end;
        return yield toBytes(text + mark({ complete: false, position, stopped: toStopped(end) }));
      }
      const isDue = met - marked >= limits.exportMarkRows;
      if (isDue) marked = met;
      if (step.met > 0) limit = rowsOfChunk(walk, step.met, Math.max(step.read, text.length, 1));
      const given = isDue ? text + mark({}) : text;
      if (given === '') continue;
      begin = undefined;
      yield toBytes(given);
    }
  } finally {
    exporting.onEnded();
    await held.close();
  }
}

async function toStep({ held, walk, present, mustGoOn }: Exporting, { after, limit, passedOver }: StepFrom): Promise<Step> {
  const texts: string[] = [];
  let last: Step['last'];
  try {
    if (passedOver >= limits.exportPassedOverMax) throw passedOverTooMany();
    const deadline = mustGoOn();
    // A reader that takes all at once would keep everybody else from their turn.
    await othersTurn();
    const { rows: met, isLast, upTo } = await walk.meet(held, { after, limit }, { deadline });
    for (const { document, keys } of await walk.find(held, met, { deadline })) {
      texts.push(present(document));
      last = keys;
    }
    return { met: met.length, read: charactersOf(met), texts, last: upTo, end: isLast ? 'complete' : undefined };
  } catch (thrown) {
    return { met: texts.length, read: 0, texts, last, end: toFault(thrown) };
  }
}

/** As many as give a chunk of its size, where they are like those that were met. */
function rowsOfChunk({ rowsMax }: Walk, met: number, characters: number): number {
  return Math.max(1, Math.min(rowsMax, Math.floor((limits.exportChunkBytes * met) / characters)));
}

function charactersOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { document: { pieces } }) => sum + pieces.reduce((length, piece) => length + piece.length, 0), 0);
}

function passedOverTooMany(): Fault {
  const detail = `an export passes over ${limits.exportPassedOverMax} documents that it looks into, and no more; go on from \`next\``;
  return new Fault('limit_exceeded', { detail });
}

function toStopped({ reason: code, detail }: Fault): NonNullable<ExportMark['stopped']> {
  return detail === undefined ? { code } : { code, detail };
}

function toBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

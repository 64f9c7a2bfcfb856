/**
 * The columns plan of a CSV import, and its form for the module (`wasm/src/csv/plan.rs`): which header name
 * becomes which key, of which type.
 */

/** The kinds in the order of the module's numbers. Exported for tests that try each. */
export const csvKinds = ['string', 'number', 'integer', 'boolean', 'date-time'] as const;
export type CsvKind = (typeof csvKinds)[number];

export interface CsvColumn {
  /** The header's name, compared exactly. */
  readonly source: string;
  /** The key in the output. */
  readonly key: string;
  readonly kind: CsvKind;
  /**
   * The header must have it, and every row a value: an empty field is `""` for a string and a rejected row
   * for any other kind. An empty field of an optional column is left out, but for a quoted one of a string, which is `""`.
   */
  readonly required: boolean;
}

export interface CsvPlan {
  /** Keys are written in this order, whatever the header's. */
  readonly columns: readonly CsvColumn[];
  /** What a header name outside the plan does. */
  readonly unknown: 'refuse' | 'ignore';
}

/** The plan as the module reads it. */
export function toPlanBytes(plan: CsvPlan): Uint8Array {
  const columns = plan.columns.flatMap((column) => [
    csvKinds.indexOf(column.kind),
    Number(column.required),
    ...textBytes(column.source),
    ...textBytes(column.key),
  ]);
  return Uint8Array.from([Number(plan.unknown === 'refuse'), ...u16(plan.columns.length), ...columns]);
}

function textBytes(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...u16(bytes.byteLength), ...bytes];
}

function u16(value: number): [number, number] {
  if (value > 0xffff) throw new RangeError(`${value} does not fit a plan`);
  return [value & 0xff, value >> 8];
}

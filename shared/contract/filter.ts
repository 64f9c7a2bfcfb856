/** What a list request asks of the documents: equalities, and a range over one field. */
import type { QueryReader } from './query-reader.ts';
import { inOrder, isResidualOperator, keyOf, readResidual, type Residual } from './residual.ts';
import type { Scalar } from '../wire/values.ts';

export type RangeOperator = 'gt' | 'gte' | 'lt' | 'lte' | 'prefix';

export interface Range {
  readonly field: string;
  readonly bounds: Readonly<Partial<Record<RangeOperator, Scalar>>>;
}

export interface Filter {
  /** Values by path; several values are `in`, without doubles and in canonical order. */
  readonly equal: Readonly<Record<string, readonly Scalar[]>>;
  /** One for each field that is ranged over. No shape serves more than one. */
  readonly ranges: readonly Range[];
  /** What is asked beside an index. */
  readonly residual: readonly Residual[];
}

/** What is no filter is refused at the reader, `controls` left out; so is what no index answers, where `indexOnly` says why. */
export function readFilter(reader: QueryReader, controls: ReadonlySet<string>, indexOnly?: string): Filter {
  const equal: Record<string, readonly Scalar[]> = {};
  const bounds = new Map<string, Record<string, Scalar>>();
  const residual: Residual[] = [];
  for (const name of reader.names) {
    if (controls.has(name)) continue;
    const [, path, operator] = /^([A-Za-z][A-Za-z0-9_.]*)(?:\[([^\]]*)\])?$/.exec(name) ?? [];
    const field = path === undefined ? undefined : reader.field(path);
    if (field === undefined) {
      const { name: known, fields } = reader.resource;
      reader.refuse(name, `unknown parameter; ${known} knows ${[...controls].join(', ')} and the fields ${[...fields.keys()].join(', ')}`);
    } else if (operator === undefined || operator === 'in') {
      if (Object.hasOwn(equal, field.name)) {
        reader.refuse(name, `a second condition on ${field.name}; one of ${field.name} and ${field.name}[in] is enough`);
      }
      equal[field.name] = reader.values(name, field, operator === 'in' ? reader.several(name) : [reader.one(name)]);
    } else if (isRangeOperator(operator)) {
      bounds.set(field.name, { ...bounds.get(field.name), [operator]: reader.bound(name, field) });
    } else if (isResidualOperator(operator)) {
      const condition = readResidual(reader, name, { field, operator });
      const isSecond = residual.some((other) => keyOf(other) === keyOf(condition));
      if (isSecond) reader.refuse(name, `a second condition of its kind on ${field.name}`);
      if (indexOnly !== undefined) reader.refuse(name, indexOnly);
      residual.push(condition);
    } else {
      reader.refuse(name, `unknown operator "${operator}"; known are in, gt, gte, lt, lte, prefix, ne, nin, exists, contains`);
    }
  }
  return { equal, ranges: [...bounds].map(([field, given]) => ({ field, bounds: given })), residual: inOrder(residual) };
}

function isRangeOperator(text: string): text is RangeOperator {
  return text === 'gt' || text === 'gte' || text === 'lt' || text === 'lte' || text === 'prefix';
}

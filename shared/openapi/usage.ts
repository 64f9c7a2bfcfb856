/** What the description says of `GET /usage`. */
import type { JsonObject } from '../wire/values.ts';

const units = { type: 'integer', minimum: 0 } as const;
const date = { type: 'string', format: 'date' } as const;

export const usageSchema: JsonObject = {
  type: 'object', required: ['month', 'days'],
  properties: {
    plan: { type: 'string', description: 'The caller’s; absent in what is told of a key or a tenant.' },
    month: {
      type: 'object', required: ['begins', 'ends', 'used'],
      properties: {
        begins: date, ends: { ...date, description: 'The first day of the next.' }, used: units,
        quota: { ...units, description: 'Absent: the plan has none.' }, left: units,
      },
    },
    days: {
      type: 'array', description: 'Those on which something was spent, of this and the 61 before; the earliest first.',
      items: {
        type: 'object', required: ['day', 'reads', 'streams', 'writes', 'unsettled'],
        properties: {
          day: date, reads: units, streams: units, writes: units,
          unsettled: { ...units, description: 'Given out to spend, and not told of yet; what is not told of within seconds stays so.' },
        },
      },
    },
  },
};

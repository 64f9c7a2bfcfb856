/** What an aggregate takes and answers, worked out of what its resource declares. */
import type { Aggregate } from '../aggregates/aggregate.ts';
import { aggregateControls, measureKinds, parseAggregateQuery } from '../aggregates/aggregate-query.ts';
import type { Resource } from '../contract/resource.ts';
import { isNumeric } from '../wire/values.ts';
import type { Translation } from '../versions/translation.ts';
import { limits } from '../wire/limits.ts';
import type { JsonObject } from '../wire/values.ts';
import type { DescribedAnswer, QueryParameter } from './described.ts';
import { headersOfStates } from './headers.ts';
import { filterExampleOf, filtersOf } from './list-parameters.ts';
import { askableShapes, namedShape, olderParameter } from './older-parameters.ts';

const measureWords = {
  sum: 'The sum', avg: 'The average', min: 'The least value', max: 'The greatest value', distinct: 'How many different values there are',
} as const;

export function aggregateParametersOf(resource: Resource, input?: Translation): readonly QueryParameter[] {
  const aggregates = askableAggregates(resource, input);
  const terms = unique(aggregates.flatMap(({ group }) => group.map(({ text }) => text)));
  const of = unique(aggregates.flatMap((each) => each.of));
  const isOfDays = aggregates.some(({ group }) => group.some(({ by }) => typeof by === 'string'));
  const measures = measureKinds.flatMap((kind): readonly QueryParameter[] => {
    const fields = of.filter((field) => (kind !== 'sum' && kind !== 'avg') || isNumeric(resource.fields.get(field)?.kind ?? ''));
    return fields.length === 0 ? [] : [{
      name: kind, several: true, description: `${measureWords[kind]} of each of these fields, in each group; null is none.`,
      schema: { type: 'array', items: { enum: fields }, minItems: 1 },
    }];
  });
  const filters = filtersOf(resource, aggregates.map(({ shape }) => shape)).filter(({ name }) => !aggregateControls.has(name));
  return [
    ...filters.flatMap((filter) => olderParameter(filter, input)),
    ...(terms.length === 0 ? [] : [groupOf(terms)]),
    {
      name: 'count', description: 'How many documents are in each group; said unasked where nothing else is.',
      schema: { type: 'string', enum: ['', 'true'] },
    },
    ...measures,
    {
      name: 'sort', description: 'One of what the answer holds, with `-` before it to begin with the greatest: `-count`, `avg.rating`.',
      schema: { type: 'string' }, example: '-count',
    },
    {
      name: 'limit', description: 'Groups of the answer, the first in its order.',
      schema: { type: 'integer', minimum: 1, maximum: limits.aggregateShownMax, default: limits.aggregateShownMax },
    },
    ...(isOfDays ? [{
      name: 'zone', description: 'The time zone of days, weeks and months, by its name in the IANA database.',
      schema: { type: 'string', default: 'UTC' },
    }] : []),
  ];
}

function groupOf(terms: readonly string[]): QueryParameter {
  return {
    name: 'group', several: true, description: 'What groups are made by; without it everything is one group.',
    schema: { type: 'array', items: { enum: terms }, minItems: 1 }, example: terms.slice(0, 1),
  };
}

export function aggregateAnswer(resource: Resource): readonly DescribedAnswer[] {
  const of = unique(resource.aggregates.flatMap((each) => each.of));
  const values = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } } as const;
  const measures = of.length === 0 ? [] : measureKinds.map((kind) => [kind, values] as const);
  const whole = { type: 'integer', minimum: 0 } as const;
  const row = {
    type: 'object', required: ['group'],
    properties: { group: values, count: whole, ...Object.fromEntries(measures) },
  };
  return [{
    status: 200, description: 'Groups, in the order asked for or in that of their values.', headers: headersOfStates,
    mediaType: 'application/json',
    schema: {
      type: 'object', required: ['data', 'page'],
      properties: {
        data: { type: 'array', items: row, maxItems: limits.aggregateShownMax },
        page: {
          type: 'object', required: ['limit', 'groups'],
          properties: { limit: { ...whole, maximum: limits.aggregateShownMax }, groups: { ...whole, description: 'How many there are.' } },
        },
      },
    },
  }];
}

/** The aggregates as a table for people and as data for programs; an example is a query that is served. */
export function aggregatesOf(resource: Resource, input?: Translation): { readonly words: string; readonly extensions: JsonObject } {
  const rows = askableAggregates(resource, input).map((each) => ({ ...each, example: exampleOf(resource, each, input) }));
  const table = rows.map(({ name, group, of, least, example }) => {
    const withheld = least > 1 ? ` (groups of ${least} or more)` : '';
    const terms = group.map(({ text }) => `\`${text}\``).join('<br>');
    const fields = of.map((field) => `\`${field}\``).join('<br>');
    return `| ${name}${withheld} | ${terms} | ${fields} | ${example === undefined ? '' : `\`${example}\``} |`;
  });
  return {
    words: [
      `A query is served by one of these aggregates, of at most ${limits.aggregateDocumentsMax} documents that its filters leave ` +
        `(${limits.aggregateElementsMax} elements of an array that is grouped by); past that, and past its number of groups, it is 400 ` +
        '`aggregate_too_large`.',
      '', '| aggregate | groups | of which fields | example |', '|---|---|---|---|', ...table,
    ].join('\n'),
    extensions: {
      'x-aggregates': rows.map(({ name, group, of, shape, groups, least, example }) => ({
        name, group: group.map(({ text }) => text), of, equal: namedShape(shape, input).equal, groups, least,
        ...(shape.range === undefined ? {} : { range: namedShape(shape, input).range ?? shape.range }),
        ...(example === undefined ? {} : { example }),
      })),
    },
  };
}

/** With the terms and fields that the version calls as the current one does: answers name them, and no others can be asked for. */
function askableAggregates(resource: Resource, input: Translation | undefined): readonly Aggregate[] {
  if (input === undefined) return resource.aggregates;
  return resource.aggregates.flatMap((each) => {
    const [shape] = askableShapes([each.shape], input);
    return shape === undefined ? [] : [{
      ...each, shape, group: each.group.filter(({ field }) => input.isSame(field)), of: each.of.filter((field) => input.isSame(field)),
    }];
  });
}

function exampleOf(resource: Resource, aggregate: Aggregate, input: Translation | undefined): string | undefined {
  const [term] = aggregate.group;
  const filters = filterExampleOf(resource, { ...aggregate.shape, range: undefined });
  if (filters === undefined) return undefined;
  const pairs = [
    ...filters.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`),
    ...(term === undefined ? [] : [`group=${term.text}`]), 'count', ...aggregate.of.slice(0, 1).map((field) => `max=${field}`),
    'sort=-count', 'limit=10',
  ];
  const query = `?${pairs.join('&')}`;
  const asked = input?.downQuery(query) ?? query;
  try {
    return parseAggregateQuery(resource, input?.upQuery(asked) ?? asked).aggregate.name === aggregate.name ? asked : undefined;
  } catch {
    return undefined;
  }
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

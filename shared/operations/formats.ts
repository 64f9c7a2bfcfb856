/**
 * The forms in which documents are given out, as `format` in a query names them. Where an operation gives several,
 * `format` decides, and without it `Accept` does; the edge adds what it decides to the query that it asks the origin.
 */
export const formats = { json: 'application/json', csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

export type Format = keyof typeof formats;

export function formatOf(mediaType: string): Format | undefined {
  return formatNames.find((name) => formats[name] === mediaType);
}

const formatNames = ['json', 'csv', 'ndjson'] as const satisfies readonly Format[];

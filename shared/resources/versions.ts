/** The versions of the API, oldest first; the last is the current one. What differs stands with each resource and endpoint. */
import { versions as declare } from '../versions/versions.ts';

export const versions = declare(
  { name: 'v1', deprecated: '2026-11-01', sunset: '2028-11-01' },
  { name: 'v2' },
);

import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { films } from '../../../../shared/resources/films.ts';
import { places } from '../../../../shared/resources/places.ts';

const rowsOf = (name: string): Record<string, unknown>[] =>
  readFileSync(join(import.meta.dir, '../../../../origin/dev/sample', `${name}.ndjson`), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('ships films of many years and genres that the contract takes as they are', () => {
  // An id is the row's, and no field.
  const rows = rowsOf('films').map(({ id: _id, ...row }) => films.schema.parse(row));
  expect(rows.length).toBeGreaterThan(150);
  expect(new Set(rows.map((row) => row['year'])).size).toBeGreaterThan(40);
  for (const genre of ['Comedy', 'Drama']) {
    expect(rows.filter((row) => (row['genres'] as string[]).includes(genre)).length).toBeGreaterThan(50);
  }
});

test('takes pictures from the web alone: a page that shows one must not run a script', () => {
  const taken = (url: string) => films.schema.safeParse({ title: 'A', year: 2000, image: { url } }).success;
  for (const url of ['https://example.com/a.jpg', 'http://example.com/a.jpg']) {
    expect([url, taken(url)]).toEqual([url, true]);
  }
  for (const url of [
    'javascript:alert(1)', 'javascript://example.com/%0aalert(1)', 'JavaScript:alert(1)', 'java\nscript:alert(1)',
    ' javascript:alert(1)', 'data:text/html,<script>alert(1)</script>', 'vbscript:x', 'file:///etc/passwd',
    'blob:https://example.com/1', 'ftp://example.com/a',
  ]) {
    expect([url, taken(url)]).toEqual([url, false]);
  }
});

test('ships places whose codes keep their leading zeros', () => {
  const rows = rowsOf('places');
  for (const { zip_code: code, ...row } of rows) {
    expect(code).toMatch(/^\d{5}$/);
    places.schema.parse(row);
  }
  expect(new Set(rows.map((row) => row['zip_code'])).size).toBe(rows.length);
  expect(rows.filter((row) => String(row['zip_code']).startsWith('0')).length).toBeGreaterThan(30);
});

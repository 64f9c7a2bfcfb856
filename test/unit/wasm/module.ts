/**
 * The committed module, compiled once a process; one instance of it for all tests that must not trap; and the data that
 * tests run on when it is there.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { CsvColumn, CsvKind, CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import { TransformInstance } from '../../../shared/transforms/instance.ts';

export const moduleFile = new URL('../../../wasm/dist/tombolo.wasm', import.meta.url);
export const zipcodesFile = new URL('../../../../shared/data/zipcodes.csv', import.meta.url);

let compiled: WebAssembly.Module | undefined;

export function tombolo(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(readFileSync(moduleFile));
  return compiled;
}

let shared: TransformInstance | undefined;

export function instance(): TransformInstance {
  shared ??= new TransformInstance(tombolo());
  return shared;
}

export const hasZipcodes = existsSync(zipcodesFile);

export function column(source: string, kind: CsvKind = 'string', required = true): CsvColumn {
  return { source, key: source, kind, required };
}

export const zipcodesPlan: CsvPlan = {
  unknown: 'refuse',
  columns: [
    column('zip_code'),
    column('latitude', 'number'),
    column('longitude', 'number'),
    column('city'),
    column('state'),
    column('county', 'string', false),
  ],
};

/** All shared vectors as JSON, and how many they are: for runtimes that read no files. */
export function vectorFiles(): { readonly text: string; readonly count: number } {
  const [csv, bson] = ['csv', 'bson'].map((name) =>
    JSON.parse(readFileSync(new URL(`../../../wasm/vectors/${name}.json`, import.meta.url), 'utf8')),
  );
  return { text: JSON.stringify({ csv, bson }), count: csv.vectors.length + bson.vectors.length };
}

/**
 * CSV → typed NDJSON, bytes in and bytes out, beside uDSV doing the same typed work: `bun test/bench/csv.ts`.
 * One process, contenders in turn in every round, one warm-up, medians. Output bytes are compared first.
 */
import { readFileSync } from 'node:fs';
import { inferSchema, initParser, type Parser } from 'udsv';
import type { ComputeCalls } from '../../origin/compute/calls.ts';
import { convertCsv } from '../../origin/compute/csv.client.ts';
import { ComputePool } from '../../origin/compute/pool.ts';
import type { CsvPlan } from '../../shared/transforms/csv-plan.ts';
import { CsvTransform } from '../../shared/transforms/csv.ts';
import { median } from './rounds.ts';
import { column, hasZipcodes, instance, tombolo, zipcodesFile } from '../unit/wasm/module.ts';

const rounds = 15;
const chunkBytes = 256 * 1024;
const dataBytes = 16_000_000;

type Contender = (csv: Uint8Array, plan: CsvPlan) => Promise<Uint8Array[]> | Uint8Array[];

const contenders: Record<string, Contender> = {
  'wasm, this thread': (csv, plan) => {
    const transform = new CsvTransform(instance(), plan);
    const out: Uint8Array[] = [];
    for (const chunk of chunksOf(csv)) for (const { ndjson } of transform.push(chunk)) out.push(ndjson);
    for (const { ndjson } of transform.finish()) out.push(ndjson);
    return out;
  },
  'wasm, pool thread': async (csv, plan) => {
    const out: Uint8Array[] = [];
    const { signal } = new AbortController();
    for await (const { ndjson } of convertCsv(pool, { plan, signal, chunks: asyncOf(chunksOf(csv)) })) out.push(ndjson);
    return out;
  },
  'uDSV, typed objects': (csv, plan) => {
    const text = new TextDecoder().decode(csv);
    const lines = parserOf(text, plan).typedObjs(text).map((row) => JSON.stringify(row));
    return [new TextEncoder().encode(`${lines.join('\n')}\n`)];
  },
  'uDSV, typed tuples, lines by template': (csv, plan) => {
    const text = new TextDecoder().decode(csv);
    const write = writerOf(plan);
    return [new TextEncoder().encode(parserOf(text, plan).typedArrs<unknown[]>(text).map((row) => write(row)).join(''))];
  },
  'uDSV, the same in chunks': (csv, plan) => {
    const decoder = new TextDecoder();
    const write = writerOf(plan);
    const out: Uint8Array[] = [];
    let lines = '';
    const flush = () => {
      out.push(new TextEncoder().encode(lines));
      lines = '';
    };
    let parser: Parser | undefined;
    for (const chunk of chunksOf(csv)) {
      const text = decoder.decode(chunk, { stream: true });
      parser ??= parserOf(text, plan);
      parser.chunk<unknown[]>(text, parser.typedArrs, (row) => {
        lines += write(row);
      });
      flush();
    }
    parser?.end();
    flush();
    return out;
  },
};

const pool = new ComputePool<ComputeCalls>({
  script: new URL('../../origin/compute/compute.worker.ts', import.meta.url),
  module: tombolo(),
  threads: 1,
});

for (const { name, csv, plan } of data()) await compare(name, csv, plan);
await pool.close();

async function compare(name: string, csv: Uint8Array, plan: CsvPlan): Promise<void> {
  console.log(`\n${name}: ${(csv.byteLength / 1e6).toFixed(1)} MB`);
  const expected = Bun.hash(Buffer.concat(await mustContender('wasm, this thread')(csv, plan)));
  const times = new Map<string, number[]>();
  for (let round = -1; round < rounds; round += 1) {
    for (const [contender, run] of Object.entries(contenders)) {
      const start = performance.now();
      const out = await run(csv, plan);
      const ms = performance.now() - start;
      if (round >= 0) times.set(contender, [...(times.get(contender) ?? []), ms]);
      else if (Bun.hash(Buffer.concat(out)) !== expected) throw new Error(`${contender} writes other bytes`);
    }
  }
  const speeds = [...times].map(([contender, ms]) => ({ contender, speed: csv.byteLength / 1e3 / median(ms) }));
  const best = Math.max(...speeds.filter(({ contender }) => contender.startsWith('uDSV')).map(({ speed }) => speed));
  for (const { contender, speed } of speeds) {
    console.log(`  ${contender.padEnd(40)} ${speed.toFixed(0).padStart(5)} MB/s  ${(speed / best).toFixed(1)}× the best uDSV`);
  }
}

function* data(): Generator<{ name: string; csv: Uint8Array; plan: CsvPlan }> {
  const places = ['zip_code', 'latitude', 'longitude', 'city', 'state', 'county'];
  const plan: CsvPlan = { unknown: 'refuse', columns: places.map((name) => column(name, name.endsWith('tude') ? 'number' : 'string')) };
  if (hasZipcodes) yield { name: 'postal codes, repeated', csv: repeated(readFileSync(zipcodesFile)), plan };
  const place = (row: number) =>
    `${String(row % 99_999).padStart(5, '0')},${(row % 180) - 90}.${row % 997}1,-${row % 180}.25,City ${row},NY,County ${row % 62}\n`;
  yield { name: 'generated places', csv: repeated(generated(places, place)), plan };
  const notes: CsvPlan = {
    unknown: 'refuse',
    columns: [column('id', 'integer'), column('title'), column('note'), column('done', 'boolean')],
  };
  const note = (row: number) =>
    `${row},"Zürich, ""Nr. ${row}""","first line\nsecond, of ${row} — ünd more text that goes on for a while",${row % 2 === 0}\n`;
  yield {
    name: 'generated notes: quotes, line ends, not only ASCII',
    csv: repeated(generated(['id', 'title', 'note', 'done'], note)),
    plan: notes,
  };
}

function generated(header: readonly string[], row: (index: number) => string): Uint8Array {
  return new TextEncoder().encode(`${header.join(',')}\n${Array.from({ length: 20_000 }, (_, index) => row(index)).join('')}`);
}

/** The rows again and again under one header, up to `dataBytes`. */
function repeated(csv: Uint8Array): Uint8Array {
  const body = csv.subarray(csv.indexOf(10) + 1);
  return Buffer.concat([csv, ...Array.from({ length: Math.floor(dataBytes / csv.byteLength) - 1 }, () => body)]);
}

function* chunksOf(csv: Uint8Array): Generator<Uint8Array> {
  for (let from = 0; from < csv.byteLength; from += chunkBytes) yield csv.subarray(from, from + chunkBytes);
}

async function* asyncOf(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function parserOf(text: string, plan: CsvPlan): Parser {
  const schema = inferSchema(text);
  const types = { string: 's', number: 'n', integer: 'n', boolean: 'b:true', 'date-time': 's' } as const;
  schema.cols.forEach((col, index) => {
    const target = plan.columns[index];
    if (target) col.type = types[target.kind];
    col.repl.empty = '';
  });
  return initParser(schema);
}

/** The fastest way found in JavaScript to write a tuple: one template, with `JSON.stringify` for text only. */
function writerOf(plan: CsvPlan): (row: unknown[]) => string {
  const parts = plan.columns.map(({ key, kind }, index) => {
    const value = kind === 'string' ? `\${JSON.stringify(row[${index}])}` : `\${row[${index}]}`;
    return `${JSON.stringify(key)}:${value}`;
  });
  return new Function('row', `return \`{${parts.join(',')}}\\n\``) as (row: unknown[]) => string;
}

function mustContender(name: string): Contender {
  const contender = contenders[name];
  if (!contender) throw new Error(`no contender ${name}`);
  return contender;
}

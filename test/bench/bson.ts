/**
 * BSON documents to the JSON of the wire, by the Rust module and in JavaScript: `bun test/bench/bson.ts`.
 * Contenders in turn within every round, in one process; each is held to the same texts before it is measured.
 */
import { BSON } from 'mongodb';
import { toDocument } from '../../origin/store/mongo/read/documents.ts';
import { films as declared } from '../../shared/resources/films.ts';
import { BsonTexts, openBson } from '../../shared/transforms/bson.ts';
import { TransformInstance } from '../../shared/transforms/instance.ts';
import { tombolo } from '../unit/wasm/module.ts';
import { walk } from './bson-walker.ts';
import { filmsNdjson } from './data.ts';
import { median } from './rounds.ts';

const rounds = 31;
/** Bytes of one contender in one round: enough that the clock's resolution and a garbage collection weigh little. */
const bytesPerRound = 4_000_000;
const streamBytes = 16_000_000;
const chunkBytes = 256 * 1024;

type Contender = (documents: readonly Uint8Array[]) => readonly string[];
const module = new BsonTexts(new TransformInstance(tombolo()));

const contenders: Readonly<Record<string, Contender>> = {
  'driver objects, the table, JSON.stringify': (documents) => documents.map((bytes) => {
    const stored = BSON.deserialize(bytes);
    return toDocument(declared, String(stored['_id']), stored).text;
  }),
  'walker in TypeScript': (documents) => documents.map(walk),
  'module': (documents) => module.convert(documents) as readonly string[],
};

const films = toFilms();
for (const [name, groups] of [
  ['one film', films.slice(0, 2_000).map((film) => [film])],
  ['a list of 20', inGroups(films.slice(0, 2_000), 20)],
  ['a list of 100', inGroups(films.slice(0, 2_000), 100)],
  ['one large document', [[toLarge(films, 110_000)]]],
] as const)
  compareTexts(name, groups);
compareStreams();

/** The films as an import stores them. */
function toFilms(): readonly Uint8Array[] {
  const at = new Date(1_700_000_000_000);
  const lines = new TextDecoder().decode(filmsNdjson().bytes).trimEnd().split('\n');
  return lines.map((line) => BSON.serialize({ _id: crypto.randomUUID(), ...JSON.parse(line), rev: 1, createdAt: at, updatedAt: at }));
}

/** Films inside one document. */
function toLarge(films: readonly Uint8Array[], bytes: number): Uint8Array {
  const mean = films.reduce((sum, { byteLength }) => sum + byteLength, 0) / films.length;
  const taken = films.slice(0, Math.ceil(bytes / mean));
  return BSON.serialize({ _id: 'large', films: taken.map((film) => BSON.deserialize(film)) });
}

function inGroups(documents: readonly Uint8Array[], size: number): readonly (readonly Uint8Array[])[] {
  return Array.from({ length: Math.floor(documents.length / size) }, (_, index) => documents.slice(index * size, (index + 1) * size));
}

function compareTexts(what: string, groups: readonly (readonly Uint8Array[])[]): void {
  const bytes = groups.flat().reduce((sum, { byteLength }) => sum + byteLength, 0);
  const expected = groups.map((group) => JSON.stringify(contenders['module']?.(group)));
  for (const [name, run] of Object.entries(contenders))
    if (groups.some((group, index) => JSON.stringify(run(group)) !== expected[index])) throw new Error(`${name} writes another text`);
  const times = Math.ceil(bytesPerRound / bytes);
  const repeated = Object.entries(contenders).map(([name, run]) => [name, () => {
    for (let time = 0; time < times; time++) for (const group of groups) run(group);
  }] as const);
  tell(`${what}, ${Math.round(bytes / groups.length)} bytes`, repeated, { bytes: bytes * times, calls: groups.length * times });
}

function compareStreams(): void {
  const bytes = Buffer.concat(Array.from({ length: Math.ceil(streamBytes / Buffer.concat(films).byteLength) }, () => films).flat());
  const instance = new TransformInstance(tombolo());
  tell(`NDJSON of ${(bytes.byteLength / 1e6).toFixed(1)} MB`, [
    ['npm bson, JSON.stringify', () => throughObjects(bytes, (document) => JSON.stringify(document))],
    [
      'driver objects, the table, JSON.stringify',
      () => throughObjects(bytes, (document) => toDocument(declared, String(document['_id']), document).text),
    ],
    ['module', () => throughModule(bytes, instance)],
  ], { bytes: bytes.byteLength, calls: 1 });
}

function throughObjects(bytes: Uint8Array, toText: (document: BSON.Document) => string): number {
  const encoder = new TextEncoder();
  let written = 0;
  let lines = '';
  for (let at = 0; at < bytes.byteLength; ) {
    const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0, true);
    lines += `${toText(BSON.deserialize(bytes.subarray(at, at + length)))}\n`;
    at += length;
    if (lines.length < chunkBytes && at < bytes.byteLength) continue;
    written += encoder.encode(lines).byteLength;
    lines = '';
  }
  return written;
}

function throughModule(bytes: Uint8Array, instance: TransformInstance): number {
  const stream = openBson(instance);
  let written = 0;
  for (let from = 0; from < bytes.byteLength; from += chunkBytes) {
    for (const output of stream.push(bytes.subarray(from, from + chunkBytes))) {
      written += output.bytes.byteLength;
    }
  }
  for (const output of stream.finish()) written += output.bytes.byteLength;
  return written;
}

/** Ratios are medians over rounds of what stood side by side in one. */
function tell(
  what: string,
  runs: readonly (readonly [string, () => unknown])[],
  { bytes, calls }: { readonly bytes: number; readonly calls: number },
): void {
  const times = runs.map((): number[] => []);
  for (let round = -5; round < rounds; round++)
    for (const [index, [, run]] of runs.entries()) {
      const start = performance.now();
      run();
      if (round >= 0) times[index]?.push(performance.now() - start);
    }
  process.stdout.write(`\n${what}\n`);
  for (const [index, [name]] of runs.entries()) {
    const own = times[index] ?? [];
    const faster = median(own.map((ms, round) => (times[0]?.[round] ?? Number.NaN) / ms));
    const micros = ((median(own) / calls) * 1e3).toFixed(1).padStart(9);
    const rate = (bytes / median(own) / 1e3).toFixed(0).padStart(5);
    process.stdout.write(`  ${name.padEnd(42)} ${micros} µs ${rate} MB/s ${faster.toFixed(1).padStart(6)}×\n`);
  }
}

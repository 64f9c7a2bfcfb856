/**
 * The shared vectors (`wasm/vectors/csv.json`), each run with its input cut in many ways. Pure, so that the
 * same check runs inside workerd.
 */
import type { CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import type { CsvRefusal, CsvRejected } from '../../../shared/transforms/csv.ts';
import type { TransformInstance } from '../../../shared/transforms/instance.ts';
import { cutAt, runCsv, type CsvResult } from './csv-run.ts';

type Part = string | { hex: string } | { repeat: string; times: number };

interface Vector {
  name: string;
  plan: string;
  input: Part[];
  lines?: Part[][];
  rows?: number[];
  rejected?: CsvRejected[];
  refused?: CsvRefusal;
}

export interface VectorFile {
  plans: Record<string, CsvPlan>;
  vectors: Vector[];
}

/** Inputs up to this are cut at every position, and into single bytes; longer ones at random. */
const cutsBytesMax = 1500;
const randomWays = 6;

/** What came out wrong, in words; nothing when all is well. */
export function checkVector(instance: TransformInstance, file: VectorFile, vector: Vector): string[] {
  const plan = file.plans[vector.plan];
  if (!plan) return [`${vector.name}: no plan ${vector.plan}`];
  const input = toBytes(vector.input);
  const expected = JSON.stringify(toExpected(vector));
  return waysToCut(input.byteLength).flatMap((cuts) => {
    const got = JSON.stringify(runCsv(instance, plan, cutAt(input, cuts)));
    return got === expected ? [] : [`${vector.name}, cut at ${cuts.slice(0, 20)}: ${got.slice(0, 500)}`];
  });
}

function toExpected(vector: Vector): CsvResult {
  if (vector.refused) return { ndjson: '', rows: [], rejected: [], refused: vector.refused };
  const lines = (vector.lines ?? []).map((line) => `${new TextDecoder().decode(toBytes(line))}\n`);
  // Keys in the order in which the transform's caller sees them.
  const rejected = (vector.rejected ?? []).map(({ row, line, column, reason }) => ({
    row,
    line,
    ...(column === undefined ? {} : { column }),
    reason,
  }));
  return { ndjson: lines.join(''), rows: vector.rows ?? [], rejected };
}

function toBytes(parts: readonly Part[]): Uint8Array {
  const encoder = new TextEncoder();
  const chunks = parts.map((part) => {
    if (typeof part === 'string') return encoder.encode(part);
    if ('repeat' in part) return encoder.encode(part.repeat.repeat(part.times));
    return Uint8Array.from(part.hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  });
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function waysToCut(length: number): number[][] {
  const positions = Array.from({ length: length + 1 }, (_, position) => position);
  if (length <= cutsBytesMax) return [[], positions.slice(0, length), ...positions.map((position) => [position])];
  return [[], ...Array.from({ length: randomWays }, (_, seed) => randomCuts(seed + 1, length))];
}

/** Twenty positions that are the same in every run of a seed. */
export function randomCuts(seed: number, length: number): number[] {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % (length + 1);
  };
  return Array.from({ length: 20 }, next).sort((left, right) => left - right);
}

/**
 * The shared vectors of BSON (`wasm/vectors/bson.json`), each run with its input cut in many ways. Pure, so that
 * the same check runs inside workerd.
 */
import { openBson, toBsonRejected, type BsonReason } from '../../../shared/transforms/bson.ts';
import type { TransformInstance } from '../../../shared/transforms/instance.ts';
import { StreamRefused } from '../../../shared/transforms/stream.ts';
import { cutAt } from './csv-run.ts';

interface BsonVector {
  name: string;
  bson: string;
  line?: string;
  rejected?: BsonReason;
  refused?: { reason: string; document: number };
}

export interface BsonVectorFile {
  vectors: BsonVector[];
}

/** What came out wrong, in words; nothing when all is well. */
export function checkBsonVector(instance: TransformInstance, { name, bson, line, rejected, refused }: BsonVector): string[] {
  const input = Uint8Array.from(bson.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const expected = JSON.stringify(refused ?? { line, rejected });
  const positions = Array.from({ length: input.byteLength + 1 }, (_, position) => position);
  return [[], positions, ...positions.map((position) => [position])].flatMap((cuts) => {
    const got = JSON.stringify(run(instance, cutAt(input, cuts)));
    return got === expected ? [] : [`${name}, cut at ${cuts.slice(0, 20)}: ${got.slice(0, 500)}`];
  });
}

function run(instance: TransformInstance, pieces: Iterable<Uint8Array>): unknown {
  const lines: string[] = [];
  const reasons: BsonReason[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const gather = (outputs: ReturnType<ReturnType<typeof openBson>['finish']>) => {
    for (const { bytes, rejected } of outputs) {
      lines.push(...decoder.decode(bytes).split('\n').slice(0, -1));
      reasons.push(...toBsonRejected(rejected).map(({ reason }) => reason));
    }
  };
  try {
    const streamer = openBson(instance);
    for (const piece of pieces) gather(streamer.push(piece));
    gather(streamer.finish());
  } catch (error) {
    if (error instanceof StreamRefused) return JSON.parse(error.report);
    throw error;
  }
  return lines.length + reasons.length > 1 ? { lines, reasons } : { line: lines[0], rejected: reasons[0] };
}

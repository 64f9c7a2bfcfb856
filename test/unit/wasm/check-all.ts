/** All shared vectors at once, as another runtime runs them. Pure: it runs inside workerd. */
import type { TransformInstance } from '../../../shared/transforms/instance.ts';
import { checkBsonVector, type BsonVectorFile } from './bson-vectors.ts';
import { checkVector, type VectorFile } from './csv-vectors.ts';

export interface VectorFiles {
  readonly csv: VectorFile;
  readonly bson: BsonVectorFile;
}

export interface Outcome {
  readonly vectors: number;
  readonly failures: readonly string[];
}

export function checkAll(instance: TransformInstance, { csv, bson }: VectorFiles): Outcome {
  return {
    vectors: csv.vectors.length + bson.vectors.length,
    failures: [
      ...csv.vectors.flatMap((vector) => checkVector(instance, csv, vector)),
      ...bson.vectors.flatMap((vector) => checkBsonVector(instance, vector)),
    ],
  };
}

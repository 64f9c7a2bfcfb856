/** What runs inside workerd: every vector, with the module that the platform compiled. */
import { TransformInstance } from '../../shared/transforms/instance.ts';
import { checkVector, type VectorFile } from './csv-vectors.ts';

/** Exported for the script around it, which the test writes. */
export async function answer(module: WebAssembly.Module, request: Request): Promise<Response> {
  const file = (await request.json()) as VectorFile;
  const instance = new TransformInstance(module);
  const failures = file.vectors.flatMap((vector) => checkVector(instance, file, vector));
  return Response.json({ vectors: file.vectors.length, failures });
}

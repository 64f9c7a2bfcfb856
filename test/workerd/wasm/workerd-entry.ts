/** What runs inside workerd: every vector, with the module that the platform compiled. */
import { TransformInstance } from '../../../shared/transforms/instance.ts';
import { checkAll, type VectorFiles } from '../../unit/wasm/check-all.ts';

/** Exported for the script around it, which the test writes. */
export async function answer(module: WebAssembly.Module, request: Request): Promise<Response> {
  return Response.json(checkAll(new TransformInstance(module), (await request.json()) as VectorFiles));
}

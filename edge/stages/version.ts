/** Which version of the API answers. The path names it (`route.ts` knows which there are); the answer repeats it. */
import { currentVersion } from '../../shared/operations/route.ts';
import { type Admitted, tell } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function version(): Stage<Admitted, Admitted> {
  return function version(request, next) {
    tell(request, 'api-version', currentVersion);
    return next(request);
  };
}

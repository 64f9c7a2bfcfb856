/** Which version of the API answers. The path names it (`routes.ts` knows which there are); the answer repeats it. */
import { currentVersion } from '../../shared/operations/route.ts';
import { tell } from '../leave.ts';
import type { Stage } from '../path.ts';

export function version(): Stage {
  return function version(c) {
    tell(c, 'api-version', currentVersion);
    return undefined;
  };
}

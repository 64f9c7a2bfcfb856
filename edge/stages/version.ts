/** Which version of the API is asked for; every answer repeats it. From here on the target is that of the current one. */
import { isPlain, mustSpeak } from '../versions/naming.ts';
import { mustBeServed, retirementOf } from '../versions/retirement.ts';
import { isBarePath } from '../own-routes.ts';
import { tell } from '../request/arrival.ts';
import type { Admitted, Versioned } from '../request/request.ts';
import type { Stage } from '../runner.ts';

export function version(): Stage<Admitted, Versioned> {
  return function version(request, next) {
    const { context: { contract: { versions } }, target, sent } = request;
    if (isPlain(target, sent, versions) || isBarePath(target.path)) {
      tell(request, 'api-version', versions.current.name);
      return next(request);
    }
    const { speech, target: current } = mustSpeak(target, sent, versions);
    tell(request, 'api-version', speech.version.name);
    // The same path may be asked for in several versions, so whoever keeps an answer keeps what it was asked by.
    if (speech.prefix === '') tell(request, 'vary', 'API-Version, Accept');
    for (const [name, value] of retirementOf(speech.version, current)) tell(request, name, value);
    mustBeServed(speech.version, versions);
    return next({ ...request, target: current, speech });
  };
}

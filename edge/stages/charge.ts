/** A refusal that comes before `limit`, where nobody is known yet, is charged to its address. */
import { respond } from '../respond.ts';
import { chargeRefusal } from '../rate-limit/early-refusals.ts';
import type { Admitted } from '../request/request.ts';
import { orElse, type Stage } from '../runner.ts';

/** What `limit` and the stages behind it refuse is answered there already, so what is thrown as far as here came before. */
export function charge(): Stage<Admitted, Admitted> {
  return function charge(request, next) {
    return orElse(
      () => next(request),
      (thrown) =>
        chargeRefusal(request, thrown).then(
          (charged) => respond(charged, request),
          (failed: unknown) => respond(failed, request),
        ),
    );
  };
}

/** What a call is refused with; throws what is no refusal, and where there is none. */
import { Fault } from '../../shared/wire/fault.ts';

export function faultOf(run: () => unknown): Fault {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown;
    throw thrown;
  }
  throw new Error('was not refused');
}

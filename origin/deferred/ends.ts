/** Why operations that go on behind their answers end early. */
import { Fault } from '../../shared/wire/fault.ts';

export function cancelled(): Fault {
  return new Fault('operation_cancelled', { detail: 'it was cancelled; what it had committed by then stays' });
}

export function originStops(): Fault {
  return new Fault('operation_interrupted', { detail: 'the origin stopped; what it had committed by then stays' });
}

export function originEnded(): Fault {
  return new Fault('operation_interrupted', {
    detail: 'the origin ended; what it had committed by then stays, and may be more rows than it last said',
  });
}

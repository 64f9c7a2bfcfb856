/** How long a request is under way: until the head of its answer, or the last byte of one that goes on for as long as it has rows. */
import { isFeed, type Operation } from '../../shared/operations/operation.ts';
import { limits } from '../../shared/wire/limits.ts';
import { type Answer, orElse } from '../runner.ts';

/** Of the edge's own paths there is no operation. */
export interface Course {
  readonly isStreamed: boolean;
  readonly msMax: number;
}

/** A feed is under way until it is open: those that are open are the origin's to bound, and a page that waits asks for nothing. */
export function courseOf(operation: Operation | undefined): Course {
  if (operation === undefined || isFeed(operation)) return { isStreamed: false, msMax: limits.requestMsMax };
  return { isStreamed: operation.answers === 'moment' || operation.body === 'streamed', msMax: operation.msMax };
}

/** Calls `leave` when the request is over, however it ends; nothing is changed where there is none. */
export function whileUnderWay(leave: (() => void) | undefined, { isStreamed }: Course, run: () => Answer): Answer {
  if (leave === undefined) return run();
  const answer = orElse(run, (thrown) => {
    leave();
    throw thrown;
  });
  const end = (given: Response): Response => {
    if (isStreamed && given.body !== null) return untilRead(given, given.body, leave);
    leave();
    return given;
  };
  return answer instanceof Promise ? answer.then(end) : end(answer);
}

/** A client that goes away ends it too. */
function untilRead(answer: Response, body: NonNullable<Response['body']>, leave: () => void): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  void body.pipeTo(writable).then(leave, leave);
  return new Response(readable, answer);
}

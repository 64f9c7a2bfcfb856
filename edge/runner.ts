/**
 * How a request walks its stages. A stage is given what the one before it handed on, and answers, hands on more to the
 * next one, or throws a refusal. What each needs and what each adds stands in its types, so an order in which something
 * is missing does not compile; nothing is left behind in a variable for a later stage to find.
 *
 * The path is put together once. A stage that need not wait returns at once: a cached hit crosses a dozen of them, and a
 * promise for each would cost it more than their own work.
 */
import type { Arrival } from './request/arrival.ts';
import { note } from './request/server-timing.ts';

export type Answer = Response | Promise<Response>;

export type Stage<In, Out> = (request: In, next: (handedOn: Out) => Answer) => Answer;

type Enter<In> = (request: In) => Answer;

export class Path<In extends Arrival, Out extends Arrival> {
  /** The whole path, once its end is known. */
  readonly #complete: (end: Enter<Out>) => Enter<In>;

  private constructor(complete: (end: Enter<Out>) => Enter<In>) {
    this.#complete = complete;
  }

  static begin<First extends Arrival>(): Path<First, First> {
    return new Path((end) => end);
  }

  stage<Next extends Arrival>(name: string, stage: Stage<Out, Next>): Path<In, Next> {
    return new Path((end) => this.#complete((request) => {
      note(request, name);
      return stage(request, end);
    }));
  }

  end(name: string, last: Enter<Out>): Enter<In> {
    return this.#complete((request) => {
      note(request, name);
      return last(request);
    });
  }
}

/** What `run` answers; what it throws, now or later, is `recover`'s to answer. */
export function orElse(run: () => Answer, recover: (thrown: unknown) => Answer): Answer {
  try {
    const answer = run();
    return answer instanceof Promise ? answer.catch(recover) : answer;
  } catch (thrown) {
    return recover(thrown);
  }
}

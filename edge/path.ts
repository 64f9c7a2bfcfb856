/**
 * How a request walks its stages. Each answers, or returns nothing and the next one is asked; what a stage throws
 * is answered in its place, as a refusal. A stage that need not wait returns at once: a cached hit crosses a dozen
 * of them, and a wrapper and a promise around each would cost it more than their own work.
 *
 * What an answer is to carry is told on the way in, by the stage that knows it (`tell`), whoever answers in the
 * end: it stands on a refusal by a later stage too, and on none by an earlier one.
 */
import type { Context, Handler } from 'hono';
import { Fault, toFault } from '../shared/contract/fault.ts';
import type { EdgeEnv } from './context.ts';
import { leave } from './leave.ts';
import { respond } from './respond.ts';
import { begin, note } from './timings.ts';

/** Nothing: the next stage is asked. */
type Answered = Response | undefined;
/** What the stages that follow answer; a refusal is an answer too, and stands in `c.error`. */
export type Next = () => Response | Promise<Response>;
export type Stage = (c: Context<EdgeEnv>, next: Next) => Answered | Promise<Answered>;

/** A refusal by a stage before that one is handed to `charge`, which says what is answered in the end. */
export interface EarlyRefusals<Name> {
  readonly before: Name;
  readonly charge: (c: Context<EdgeEnv>, thrown: unknown) => Promise<unknown>;
}

export function walk<Name extends string>(stages: Readonly<Record<Name, Stage>>, { before, charge }: EarlyRefusals<Name>): Handler<EdgeEnv> {
  const path = Object.entries<Stage>(stages);
  const counting = path.findIndex(([name]) => name === before);

  function enter(index: number, c: Context<EdgeEnv>): Answered | Promise<Answered> {
    const [name, stage] = path[index] ?? [];
    if (name === undefined || stage === undefined) return undefined;
    note(c, name);
    return stage(c, () => from(index + 1, c));
  }

  /** Never throws, nor does its promise reject. */
  function from(first: number, c: Context<EdgeEnv>): Response | Promise<Response> {
    let index = first;
    try {
      for (; index < path.length; index++) {
        const answer = enter(index, c);
        if (answer instanceof Promise) return after(answer, index, c);
        if (answer !== undefined) return answer;
      }
      throw new Fault('route_not_found');
    } catch (thrown) {
      return refuseAt(index, thrown, c);
    }
  }

  async function after(answer: Promise<Answered>, index: number, c: Context<EdgeEnv>): Promise<Response> {
    try {
      return (await answer) ?? (await from(index + 1, c));
    } catch (thrown) {
      return refuseAt(index, thrown, c);
    }
  }

  function refuseAt(index: number, thrown: unknown, c: Context<EdgeEnv>): Response | Promise<Response> {
    if (index >= counting) return refuse(thrown, c);
    return charge(c, thrown).then((charged) => refuse(charged, c), (failed: unknown) => refuse(failed, c));
  }

  return async function walk(c) {
    c.set('told', []);
    begin(c);
    return leave(c, await from(0, c));
  };
}

function refuse(thrown: unknown, c: Context<EdgeEnv>): Response {
  c.error = toFault(thrown);
  return respond(thrown, c);
}

/**
 * The long-lived parts of one origin process: started in order, from the most general to the most specific,
 * stopped backwards within one deadline, each telling its state. Readiness and shutdown follow from this list.
 *
 *   start(a), start(b), start(c) ── stop ──▶ c, b, a: each has what is left of the deadline, then it is left behind
 *              └── one that fails to start takes those before it down, backwards, and the start fails
 */
import { Fault } from '../../shared/wire/fault.ts';
import { late, within } from '../within.ts';
import type { Figures } from './figures.ts';

export interface ServiceState {
  /** Whether it does its work; if not, this process is not ready. */
  readonly ready: boolean;
  /** What is the matter, for whoever operates this. */
  readonly detail?: string;
  /** Names of steps that are to be done by whoever operates this (SEMANTICS §15). */
  readonly pending?: readonly string[];
  /** What is stored and does not fit what is declared, by resource and count. */
  readonly open?: readonly string[];
}

export interface Service {
  /** Finishes what is accepted; by `deadline`, in milliseconds of the epoch, it is left behind. */
  stop(deadline: number): Promise<void>;
  /** `/ready` asks this, so it answers at once or soon. */
  state(): ServiceState | Promise<ServiceState>;
  /** `/metrics` asks this, as soon. */
  figures?(): Figures | Promise<Figures>;
}

export interface Started<T> extends Service {
  readonly value: T;
}

export interface ServicesOptions {
  /** A service that did not stop, in time or at all. */
  onTrouble(service: string, cause: unknown): void;
}

interface Running {
  readonly name: string;
  readonly service: Service;
}

/** A service that cannot say within a second whether it works does not. */
const stateMsMax = 1_000;
/** A start that fails does not hang on what it takes down. */
const failedStartMsMax = 5_000;

export class Services {
  readonly #options: ServicesOptions;
  readonly #running: Running[] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: ServicesOptions) {
    this.#options = options;
  }

  async start<T>(name: string, start: () => Started<T> | Promise<Started<T>>): Promise<T> {
    try {
      const started = await start();
      this.#running.push({ name, service: started });
      return started.value;
    } catch (cause) {
      await this.stop(Date.now() + failedStartMsMax);
      throw cause;
    }
  }

  /** Stops the services backwards; a second call joins the first. */
  stop(deadline: number): Promise<void> {
    this.#stopping ??= this.#stopAll(deadline);
    return this.#stopping;
  }

  /** The states by name, in the order of the list. */
  async states(): Promise<Readonly<Record<string, ServiceState>>> {
    const told = await Promise.all(this.#running.map(async ({ name, service }) => [name, await stateOf(service)] as const));
    return Object.fromEntries(this.#stopping === undefined ? told : [...told, ['origin', { ready: false, detail: 'is stopping' }]]);
  }

  /** What they tell of themselves in numbers; nothing of one that does not say them in time. */
  figures(): Promise<readonly { readonly service: string; readonly figures: Figures }[]> {
    return Promise.all(this.#running.map(async ({ name, service }) => ({ service: name, figures: await figuresOf(service) })));
  }

  async #stopAll(deadline: number): Promise<void> {
    for (const { name, service } of this.#running.toReversed()) {
      try {
        const stopped = await within(deadline - Date.now(), service.stop(deadline));
        if (stopped === late) this.#options.onTrouble(name, new Error('did not stop in time'));
      } catch (cause) {
        this.#options.onTrouble(name, cause);
      }
    }
  }
}

async function stateOf(service: Service): Promise<ServiceState> {
  try {
    const state = await within(stateMsMax, service.state());
    return state === late ? { ready: false, detail: 'does not say how it is' } : state;
  } catch (cause) {
    const said = cause instanceof Fault ? cause.detail : undefined;
    return { ready: false, detail: said ?? 'cannot say how it is' };
  }
}

async function figuresOf(service: Service): Promise<Figures> {
  try {
    const figures = await within(stateMsMax, service.figures?.() ?? {});
    return figures === late ? {} : figures;
  } catch {
    return {};
  }
}

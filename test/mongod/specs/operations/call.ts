import type { Entities } from '../entities.ts';
import { toDriverOptions } from '../options.ts';
import type { Fields, Operation } from '../schema.ts';
import type { Target } from '../target.ts';

/** One operation of a test on its way to the driver: arguments with the session's name already replaced by the session. */
export type Call = {
  readonly object: string;
  readonly args: Fields;
  readonly entities: Entities;
  readonly target: Target;
  /** Runs and checks an operation inside this one (the callback of a transaction). */
  run(operation: Operation): Promise<void>;
};

export type Handler = (call: Call) => Promise<unknown>;

export type Handlers = Readonly<Record<string, Handler>>;

/** The arguments that are a parameter of their own in the driver, and the others as its options. */
export function splitArguments(args: Fields, ...names: readonly string[]): { readonly named: readonly unknown[]; readonly options: Fields } {
  const options = toDriverOptions<Record<string, unknown>>(args);
  for (const name of names) delete options[name];
  return { named: names.map(name => args[name]), options };
}

/** An operation's argument, of the type that the format's schema gives it. */
export function argument<T>(args: Fields, name: string): T {
  if (!(name in args)) throw new Error(`the operation lacks its argument ${name}`);
  return args[name] as T;
}

/** The worlds of both engines, all begun before the tests of a file: what only waits, waits in all of them at the same time. */
import { afterAll, beforeAll } from 'bun:test';
import { type Engine, type Stack, startWorld, type World, worldsOfBoth } from './whole-world.ts';

/** Of the file that asks for it, from its first test to its last. */
export function worldsAtOnce(): (engine: Engine, stack: Stack) => World {
  const open = new Map<string, World>();
  beforeAll(async () => {
    await Promise.all(worldsOfBoth.map(async ([engine, stack]) => {
      open.set(`${engine} ${stack}`, await startWorld({ engine, stack }));
    }));
  }, 60_000);
  afterAll(() => Promise.all([...open.values()].map((world) => world.close())));
  return (engine, stack) => {
    const world = open.get(`${engine} ${stack}`);
    if (world === undefined) throw new Error(`no world on ${engine} in ${stack}`);
    return world;
  };
}

/** Ends this turn of the event loop, so that whatever else waits goes on first: between pieces of work that are long together. */
export function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

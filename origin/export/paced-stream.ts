/**
 * A body that is made while it is read: nothing is made before the reader asks for it, and a reader that is slower than the
 * least pace is cut off, so that nobody holds by reading slowly what the source holds (SEMANTICS §10). Whatever ends it, the
 * source is told, and frees what it has.
 */
export interface ReadingPace {
  /** How long nothing may be asked for, beside the time that the last bytes take at the least rate. */
  readonly silenceMsMax: number;
  readonly bytesPerSecondMin: number;
}

export interface PacedOptions {
  readonly pace: ReadingPace;
  /** Called once where the stream ends before its source does: what the source failed with, or `undefined` for a slow reader. */
  readonly onCut: (cause: unknown) => void;
}

/**
 * Takes the first piece before anything is given, so that what the source throws until then is thrown here. From then on the
 * source has begun, and what it frees at its end is freed however the stream ends.
 */
export async function openPacedStream(
  source: AsyncGenerator<Uint8Array, void>, { pace, onCut }: PacedOptions,
): Promise<ReadableStream<Uint8Array>> {
  let ahead: IteratorResult<Uint8Array, void> | undefined = await source.next();
  let timer: Timer | undefined;
  const end = () => void source.return().catch(() => undefined);
  const wait = (controller: ReadableStreamDefaultController<Uint8Array>, bytes: number) => {
    timer = setTimeout(() => {
      end();
      onCut(undefined);
      controller.error(new Error('the reader is too slow'));
    }, pace.silenceMsMax + (bytes / pace.bytesPerSecondMin) * 1_000);
  };
  return new ReadableStream<Uint8Array>({
    start: (controller) => wait(controller, 0),
    async pull(controller) {
      clearTimeout(timer);
      try {
        const { done, value } = ahead ?? (await source.next());
        ahead = undefined;
        if (done === true) return controller.close();
        controller.enqueue(value);
        wait(controller, value.length);
      } catch (cause) {
        onCut(cause);
        controller.error(new Error('cut off', { cause }));
      }
    },
    cancel() {
      clearTimeout(timer);
      end();
    },
  }, { highWaterMark: 0 });
}

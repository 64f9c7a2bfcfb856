/**
 * The thread's half of the pool: one call at a time, answered in order. Whatever a handler throws goes back
 * as a reply; the pool decides what becomes of the thread.
 */
import { TransformTrapped } from '../../shared/transforms/instance.ts';

/** What a pool can be asked for: request and reply by name. Both must survive a structured clone. */
export type CallMap = Record<string, { request: unknown; reply: unknown }>;

export type Handlers<Calls extends CallMap> = {
  readonly [Name in keyof Calls]: (request: Calls[Name]['request']) => Answer<Calls[Name]['reply']>;
};

export interface Answer<Reply> {
  readonly reply: Reply;
  /** Buffers of the reply that are given away instead of being copied. */
  readonly transfer?: readonly ArrayBuffer[];
}

export type ToThread =
  | { readonly type: 'start'; readonly module: WebAssembly.Module | undefined }
  | { readonly type: 'call'; readonly name: string; readonly request: unknown };

export type FromThread =
  | { readonly type: 'reply'; readonly reply: unknown }
  | { readonly type: 'trapped' | 'failed'; readonly detail: string };

/** The thread's end of the channel to the pool. */
export interface ThreadPort {
  onmessage: ((event: MessageEvent<ToThread>) => unknown) | null;
  postMessage(message: FromThread, transfer: ArrayBuffer[]): void;
}

export function serve<Calls extends CallMap>(port: ThreadPort, start: (module: WebAssembly.Module) => Handlers<Calls>): void {
  let handlers: Handlers<Calls> | undefined;
  port.onmessage = ({ data }) => {
    if (data.type === 'start') {
      if (data.module !== undefined) handlers = start(data.module);
      return;
    }
    try {
      const handler = handlers?.[data.name];
      if (!handler) throw new Error(`this thread has no handler for ${data.name}`);
      const { reply, transfer = [] } = handler(data.request);
      port.postMessage({ type: 'reply', reply }, [...transfer]);
    } catch (error) {
      const type = error instanceof TransformTrapped ? 'trapped' : 'failed';
      port.postMessage({ type, detail: String(error) }, []);
    }
  };
}

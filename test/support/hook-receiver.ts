/** A receiver of webhooks on loopback: what it was sent, verified by Standard Webhooks' own library, and answers as a test says. */
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly body: { readonly type: string; readonly data: Readonly<Record<string, unknown>> };
  /** The text, and the headers that it was signed with. */
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
}

type Answering = (received: Received) => Response | Promise<Response>;

export class HookReceiver implements AsyncDisposable {
  readonly received: Received[] = [];
  answer: Answering = () => new Response('taken');
  #server = this.#listen(0);

  #listen(port: number): Bun.Server<undefined> {
    return Bun.serve({
      port, hostname: '127.0.0.1', idleTimeout: 60,
      fetch: async (request) => {
        const text = await request.text();
        const headers = Object.fromEntries([...request.headers]);
        const body = JSON.parse(text) as Received['body'];
        const received = { id: headers['webhook-id'] ?? '', path: new URL(request.url).pathname, body, text, headers };
        this.received.push(received);
        return this.answer(received);
      },
    });
  }

  url(path = '/'): string {
    return `http://127.0.0.1:${this.#server.port}${path}`;
  }

  /** All connections are cut, and none is taken for so long. */
  async dieFor(ms: number): Promise<void> {
    const { port } = this.#server;
    await this.#server.stop(true);
    await Bun.sleep(ms);
    this.#server = this.#listen(port ?? 0);
  }

  /** Throws where the secret did not sign it. */
  static verify({ text, headers }: Received, secret: string): void {
    new Webhook(secret).verify(text, headers);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

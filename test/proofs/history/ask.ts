/** One question of a client, with its times; `undefined` when nothing, or only half, came back. */
import type { Door, Sent } from './door.ts';

export interface Asked {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly through: string | undefined;
  readonly answer: Answered | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const answerMsMax = 5_000;

export async function ask(door: Door, path: string, sent: Sent): Promise<Asked> {
  const askedAt = performance.now();
  const { through, response } = door.send(path, sent, AbortSignal.timeout(answerMsMax));
  const answer = await answered(response);
  return { askedAt, answeredAt: performance.now(), through, answer };
}

async function answered(sent: Promise<Response>): Promise<Answered | undefined> {
  try {
    const response = await sent;
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return undefined;
  }
}

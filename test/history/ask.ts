/** One question of a client to the edge, with its times; `undefined` when nothing, or only half, came back. */
import type { World } from '../support/whole-world.ts';

export interface Asked {
  readonly askedAt: number;
  readonly answeredAt: number;
  readonly answer: Answered | undefined;
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

const answerMsMax = 5_000;

export async function ask({ edge }: World, path: string, init: RequestInit): Promise<Asked> {
  const askedAt = performance.now();
  const answer = await answered(`${edge.url}${path}`, init);
  return { askedAt, answeredAt: performance.now(), answer };
}

async function answered(url: string, init: RequestInit): Promise<Answered | undefined> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(answerMsMax) });
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch {
    return undefined;
  }
}

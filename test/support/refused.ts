/** Asks the edge for what it has to refuse by itself: in full, as every refusal is, and without a word to the origin. */
import { expect } from 'bun:test';
import type { World } from './world.ts';

type Refusal = Response & { problem: { detail?: string; errors?: { at: string }[]; instance: string } };

export function refusedBy(theWorld: () => World) {
  return async (path: string, init: RequestInit, status: number, code: string): Promise<Refusal> => {
    const world = theWorld();
    const asked = world.origin.seen.length;
    const response = await fetch(world.edge.url + path, init);
    const problem = (await response.json()) as { status: number; code: string; instance: string; traceId: string };
    expect({ status: response.status, code: problem.code }).toEqual({ status, code });
    expect(problem.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(problem.instance).toBe(`urn:tombolo:request:${response.headers.get('x-request-id')}`);
    // A request that brings no trace has one that is named like itself.
    if (!new Headers(init.headers).has('traceparent')) expect(`req_${problem.traceId}`).toBe(response.headers.get('x-request-id') ?? '');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(world.origin.seen.length).toBe(asked);
    return Object.assign(response, { problem });
  };
}

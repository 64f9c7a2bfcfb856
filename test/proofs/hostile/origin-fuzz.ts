/**
 * Sends hostile inputs to a real origin over a real store, in this process and behind true signatures, and
 * says what was wrong with each answer: a failure, a refusal that is no problem document or names nothing, or
 * one that left something behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { served } from '../../../shared/resources/all.ts';
import { formatPosition } from '../../../shared/wire/position.ts';
import { openContext } from '../../../origin/open-context.ts';
import type { OriginContext } from '../../../origin/origin-context.ts';
import { handle } from '../../../origin/pipeline.ts';
import { mustSettings } from '../../../origin/settings.ts';
import { eventually } from '../../support/eventually.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { signHop } from '../../support/signed-hop.ts';
import { type HostileInput, hostileInput } from './origin-inputs.ts';

export interface FuzzFigures {
  readonly inputs: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
}

const fieldsNamed: ReadonlySet<string> = new Set(['query_invalid', 'cursor_invalid', 'document_invalid', 'header_invalid', 'path_invalid']);
/** Editor, member and staff at once: an input is to be refused for what it is, not for who sends it. */
const principal = Buffer.from(
  JSON.stringify({ subject: 'eve', roles: ['editor', 'staff', 'moderator'], claims: { tenant: 'acme' } }),
).toString('base64url');

export async function fuzzOrigin({ seed, inputs }: { readonly seed: number; readonly inputs: number }): Promise<FuzzFigures> {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-fuzz-'));
  const context = await openContext(mustSettings({ TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: dir, TOMBOLO_LOG_LEVEL: 'silent' }), served);
  const statuses: Record<string, number> = {};
  try {
    // What the origin makes of the documents that are there is no answer to anybody.
    await eventually('nothing is pending', async () => {
      return Object.values(await context.services.states()).every(({ pending = [] }) => pending.length === 0);
    });
    await fc.assert(fc.asyncProperty(hostileInput, async (input) => {
      const { status, complaint } = await ask(context, input);
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (complaint !== undefined) throw new Error(complaint);
    }), { seed, numRuns: inputs });
    return { inputs, statuses };
  } finally {
    await context.services.stop(Date.now() + 5_000);
    rmSync(dir, { recursive: true, force: true });
  }
}

async function ask(context: OriginContext, input: HostileInput): Promise<{ status: number; complaint: string | undefined }> {
  const request = toRequest(input);
  const before = formatPosition(await context.store.head());
  const response = await handle(context, request, () => undefined);
  // A feed is without end.
  if (response.headers.get('content-type') === 'text/event-stream') {
    return { status: response.status, complaint: void (await response.body?.cancel()) };
  }
  const text = await response.text();
  const after = formatPosition(await context.store.head());
  return { status: response.status, complaint: complaintOf(response, { text, changed: before !== after, sent: JSON.stringify(input) }) };
}

function toRequest({ method, path, query, headers, body }: HostileInput): Request {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : path.endsWith('/import') ? 'application/x-ndjson' : 'application/json';
  // What a URL parser resolves never reaches the origin in another form than it was signed in.
  const url = new URL(`http://origin.test${path}${query}`).href;
  const { init } = signHop(testKeys, {
    url,
    method,
    headers: { ...headers, 'content-type': type, 'tombolo-principal': principal },
    ...(body === undefined ? {} : { body }),
  });
  return new Request(url, init);
}

interface Seen {
  readonly text: string;
  readonly changed: boolean;
  readonly sent: string;
}

function complaintOf({ status, headers }: Response, { text, changed, sent }: Seen): string | undefined {
  if (status >= 500 && status !== 504) return `a failure: ${status} ${text}`;
  if (status < 400) return undefined;
  if (changed) return `refused, and something was written: ${status} ${text}`;
  // A refusal of the hop would mean that the test signs wrongly, and nothing was tried.
  if (status === 401) return `not let in: ${text}`;
  if (headers.get('content-type') !== 'application/problem+json') return `no problem document: ${text}`;
  if (text === '') return undefined;
  const problem = JSON.parse(text) as { code?: string; detail?: string; errors?: { at: string; in: string; detail: string }[] };
  const inner = /\.ts:\d+|\b(SQLITE|sqlite|zod|bun:)/.exec(problem.detail ?? '')?.[0];
  // What the input itself said may be said back to it.
  if (problem.code === undefined || (inner !== undefined && !sent.includes(inner))) return `it tells too little or too much: ${text}`;
  if (fieldsNamed.has(problem.code) && (problem.errors ?? []).length === 0) return `it names no place: ${text}`;
  return undefined;
}

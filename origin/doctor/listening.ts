/** Whether the origin's port is the origin's, and whether the origin that runs there is ready. */
import * as z from 'zod';
import { type Finding, right, skipped, wrong } from './finding.ts';
import { asked, type Read } from './patient.ts';

const healthSchema = z.object({ status: z.literal('ok'), engine: z.string(), contract: z.string() });
const readySchema = z.object({ services: z.record(z.string(), z.object({ ready: z.boolean(), detail: z.string().optional() })) });

export async function originFindings({ settings }: Read): Promise<readonly Finding[]> {
  const { originHost, originPort, environment } = settings;
  const url = `http://${originHost === '0.0.0.0' ? '127.0.0.1' : originHost}:${originPort}`;
  const health = await asked(`${url}/health`);
  if (health === undefined) {
    if (isTaken(originPort)) return [taken(originPort, 'does not speak HTTP')];
    return [skipped('origin', `nothing runs at ${url}; npm ${environment === 'production' ? 'run origin' : 'start'}`)];
  }
  if (!healthSchema.safeParse(await health.json().catch(() => undefined)).success) return [taken(originPort, 'is no origin')];
  const answer = await asked(`${url}/ready`);
  const told = readySchema.safeParse(await answer?.json().catch(() => undefined));
  const ailing = told.success ? Object.entries(told.data.services).filter(([, { ready }]) => !ready) : [];
  if (answer?.status === 200) return [right('origin', `ready at ${url}`)];
  const named = ailing.map(([name, { detail }]) => `${name}${detail === undefined ? '' : ` (${detail})`}`);
  return [wrong('origin', {
    found: `not ready: ${named.join(', ') || 'no answer'}`,
    matters: 'a balancer sends it nothing, and what needs these services is 503',
    mend: `curl -s ${url}/ready`,
  })];
}

function taken(port: number, what: string): Finding {
  return wrong('origin', {
    found: `what listens on port ${port} ${what}`, matters: 'the origin cannot start (exit 78), and the edge asks a stranger',
    mend: `lsof -i :${port}; stop that program, or export TOMBOLO_ORIGIN_PORT=…`,
  });
}

function isTaken(port: number): boolean {
  try {
    Bun.listen({ hostname: '127.0.0.1', port, socket: { data() {} } }).stop(true);
    return false;
  } catch {
    return true;
  }
}

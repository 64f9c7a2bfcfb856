/**
 * Whether each edge is there, believes this side's keys, has a coordinator that hears of changes, speaks the same contract,
 * and gets answers from its origin. Nothing is changed: the report that asks is one that joins no history, so it is refused.
 */
import * as z from 'zod';
import { hopLimits } from '../../shared/hop/profile.ts';
import { type Report, reportPath } from '../../shared/hop/purge-report.ts';
import { served } from '../../shared/resources/all.ts';
import { toSignedReport } from '../hop/sign.ts';
import { clocksDiffer, ofClocks } from './clocks.ts';
import { type Finding, right, skipped, wrong } from './finding.ts';
import { asked, type Read } from './patient.ts';

const standingSchema = z.object({ epoch: z.string().nullable(), through: z.string().nullable(), now: z.number() });

/** Of an epoch that nobody has, and with a beginning: no coordinator takes it. */
const joiningNothing: Report = { epoch: '0'.repeat(16), from: '0'.repeat(8), through: '0'.repeat(8), asOf: null, raised: {}, whole: {} };

export async function edgeFindings(read: Read): Promise<readonly Finding[]> {
  return (await Promise.all(read.settings.edgeUrls.map((url) => ofEdge(url, read)))).flat();
}

async function ofEdge(url: string, read: Read): Promise<readonly Finding[]> {
  const health = await asked(`${url}/health`);
  if (health === undefined) {
    if (read.settings.environment === 'development') return [skipped('edge', `nothing runs at ${url}; npm start`)];
    return [wrong('edge', {
      found: `${url} does not answer`, matters: 'it hears of no changes, so that it may show nothing of its cache as fresh',
      mend: `curl -i ${url}/live; TOMBOLO_EDGE_URLS names the edges`,
    })];
  }
  const { contract } = (await health.json().catch(() => ({}))) as { contract?: unknown };
  return [ofContract(url, contract), ...(await ofKeys(url, read)), await ofRoundTrip(url)];
}

function ofContract(url: string, contract: unknown): Finding {
  if (contract === served.digest) return right('edge', `${url} speaks contract ${served.digest}`);
  return wrong('edge', {
    found: typeof contract === 'string' ? `${url} speaks contract ${contract}; here it is ${served.digest}` : `${url} is no edge`,
    matters: 'answers of resources that differ are served and not cached', mend: 'npm run deploy, from these sources',
  });
}

const expired = clocksDiffer('clock of the edge', `differs by more than ${hopLimits.ageSecondsMax} s`);

async function ofKeys(url: string, { keys, clock }: Read): Promise<readonly Finding[]> {
  if (keys === undefined) return [skipped('hop', 'there is no key to ask with')];
  for (const key of keys) {
    const askedAt = clock();
    const answer = await asked(toSignedReport(`${url}${reportPath}`, JSON.stringify(joiningNothing), key, askedAt));
    const answeredAt = clock();
    if (answer?.status === 401) {
      // The time of a signature is looked at once its key is believed.
      if ((await codeOf(answer)) === 'hop_expired') return [expired];
      continue;
    }
    if (answer?.status === 404) return [skipped('hop', `${url} is one process with its origin: there is no hop`)];
    const standing = standingSchema.safeParse(await answer?.json().catch(() => undefined));
    if (!standing.success) return [ofSilence(url, answer?.status)];
    const { now, epoch } = standing.data;
    return [
      right('hop', `${url} believes key ${key.id}`), ofCoordinator(epoch),
      ofClocks('clock of the edge', { theirs: now, askedAt, answeredAt }),
    ];
  }
  return [wrong('hop', {
    found: `${url} believes none of the keys ${keys.map(({ id }) => id).join(', ')}`,
    matters: 'neither side believes the other: every request is 503 origin_unavailable, and no change is heard of',
    mend: 'npx wrangler secret put TOMBOLO_KEYS, with the value of this side',
  })];
}

function ofSilence(url: string, status: number | undefined): Finding {
  return wrong('coordinator', {
    found: `${url}${reportPath} answers ${status ?? 'nothing'}`, matters: 'nothing of the cache may be shown as fresh',
    mend: 'npx wrangler tail; 503 misconfigured names a setting, anything else the Durable Object, or Redis where one is set',
  });
}

function ofCoordinator(epoch: string | null): Finding {
  if (epoch !== null) return right('coordinator', `has heard of changes in epoch ${epoch}`);
  return wrong('coordinator', {
    found: 'has heard of no origin yet', matters: 'nothing is cached until the first report',
    mend: 'npm run origin, with TOMBOLO_EDGE_URLS naming this edge; its /ready tells whether reports arrive',
  });
}

/** Of a problem document; empty for anything else. */
async function codeOf(answer: Response): Promise<string> {
  const parsed = z.object({ code: z.string() }).safeParse(await answer.json().catch(() => undefined));
  return parsed.success ? parsed.data.code : '';
}

/** Past the cache, so that the origin answers. A refusal is an answer too. */
async function ofRoundTrip(url: string): Promise<Finding> {
  const resource = [...served.resources.values()].find(({ rules }) => rules.read.kind === 'anyone');
  if (resource === undefined) return skipped('round trip', 'nothing here is for everybody to read');
  const target = `${url}/${served.versions.current.name}/${resource.name}?limit=1`;
  const startedAt = performance.now();
  const answer = await asked(target, { headers: { 'cache-control': 'no-store' } });
  const tookMs = Math.round(performance.now() - startedAt);
  if (answer !== undefined && answer.status < 500) return right('round trip', `${answer.status} in ${tookMs} ms`);
  const code = answer === undefined ? '' : await codeOf(answer);
  return wrong('round trip', {
    found: answer === undefined ? `no answer from ${target}` : `${answer.status} ${code}`.trim(),
    matters: 'callers get this answer, or old ones while they may stand in',
    mend: code === 'misconfigured'
      ? 'npx wrangler tail names the setting'
      : 'npm run origin where TOMBOLO_ORIGIN_URL leads, with the same TOMBOLO_KEYS',
  });
}

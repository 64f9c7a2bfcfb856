/**
 * The next release, as far as the hop is concerned: these sources with one thing more said in every direction, in a
 * directory of their own from which an edge is bundled and an origin is run.
 *
 *   edge → origin   request  header `tombolo-next`; the origin logs what it reads of it
 *   origin → edge   answer   header `tombolo-next`
 *   origin → edge   report   header `tombolo-next` and member `next`
 *   edge → origin   what the report is answered: member `next`
 */
import { type Edit, makeRelease, type Release } from './release.ts';

const edits: readonly Edit[] = [
  ['shared/hop/profile.ts', `  'tombolo-upload',\n] as const`, `  'tombolo-upload',\n  'tombolo-next',\n] as const`],
  [
    'edge/origin-client/one-origin.ts',
    `  sent['tombolo-request'] = requestId;\n`,
    `  sent['tombolo-request'] = requestId;\n  sent['tombolo-next'] = 'asked';\n`,
  ],
  ['edge/coordinator/coordinator.ts', 'now, knowsContract };', 'now, knowsContract, next: true };'],
  [
    'origin/respond.ts',
    '  signAnswer(headers, status, hop.answers, context.now());',
    `  process.stdout.write(\`next: \${hop.header('tombolo-next')}\\n\`);
  headers['tombolo-next'] = 'answered';
  signAnswer(headers, status, hop.answers, context.now());`,
  ],
  [
    'origin/hop/sign.ts',
    `{ 'content-type': 'application/json', 'content-digest': contentDigest(body) }`,
    `{ 'content-type': 'application/json', 'content-digest': contentDigest(body), 'tombolo-next': 'told' }`,
  ],
  ['origin/purge/purge.ts', '{ ...report, contract,', `{ ...report, next: 'told', contract,`],
];

export function makeNextRelease(): Release {
  return makeRelease(edits);
}

/** The origin as a process of its own, with development's identity, for tests that kill it. */
import { attend } from '../../origin/attend.ts';
import { mustDevelopmentSettings } from '../../origin/dev/development.ts';
import { openIdentity } from '../../origin/dev/identity.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { startOrigin } from '../../origin/server.ts';

const settings = await mustDevelopmentSettings(process.env);
const identity = await openIdentity(settings.dataDir);
// Another contract than the served one, for tests of a deploy.
const module = process.env['TOMBOLO_TEST_CONTRACT'];
const given = module === undefined ? undefined : ((await import(module)) as { served: Contract });
const { jwks, signToken } = identity;
const origin = await startOrigin(settings, { jwks, signToken, ...(given === undefined ? {} : { contract: given.served }) });
attend(origin);
process.on('SIGTERM', () => void origin.close().then(() => process.exit(0)));
process.stdout.write(`listening on ${origin.port}\n`);

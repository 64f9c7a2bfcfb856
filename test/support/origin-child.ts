/** The origin as a process of its own, with development's identity, for tests that kill it. */
import { mustDevelopmentSettings } from '../../origin/dev/development.ts';
import { developmentIssuer, openIdentity } from '../../origin/dev/identity.ts';
import { startOrigin } from '../../origin/server.ts';

const settings = await mustDevelopmentSettings(process.env);
const identity = await openIdentity(settings.dataDir, developmentIssuer(settings.originPort));
const origin = await startOrigin(settings, { jwks: identity.jwks });
process.on('SIGTERM', () => void origin.close().then(() => process.exit(0)));
process.stdout.write(`listening on ${origin.port}\n`);

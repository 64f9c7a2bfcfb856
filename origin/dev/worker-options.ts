/**
 * Prints the Worker's bindings as Miniflare wants them, read from `wrangler.toml` by wrangler itself. Run as a
 * program of its own by `edge-bundle.ts`: wrangler needs most of a second to load and leaves exit hooks behind.
 */
import { unstable_getMiniflareWorkerOptions } from 'wrangler';

const [config] = process.argv.slice(2);
if (config === undefined) throw new Error('usage: worker-options <wrangler.toml>');
const { workerOptions } = unstable_getMiniflareWorkerOptions(config);
// The rules are for bundling, which has happened; they hold patterns that JSON cannot. Assets are answered by `local-assets.ts`.
const { modulesRules: _rules, assets: _assets, ...options } = workerOptions;
process.stdout.write(JSON.stringify(options));

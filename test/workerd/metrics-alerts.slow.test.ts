/** Alerts of `origin/metrics/alerts.yml` over what the edge tells, each fired by breaking what it watches, and silent before. */
import { afterEach, expect } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { testThat } from '../support/needs.ts';
import { mustSamples } from '../support/openmetrics.ts';
import { type Alert, firing, promtool, type Scrape } from '../support/promtool.ts';
import { World } from '../support/world.ts';

const alertTest = testThat(promtool);
const token = 'a-token-of-32-characters-or-more';

let world: World;
afterEach(() => world.close());

async function scrape(): Promise<Scrape> {
  const answer = await fetch(`${world.edge.url}/.tombolo/metrics`, { headers: { authorization: `Bearer ${token}` } });
  return mustSamples(await answer.text());
}

/** Asks until the alert fires. */
async function fires(name: string, before: Scrape): Promise<Alert> {
  const job = 'tombolo-edge';
  expect(firing({ job, before, after: before })).toEqual([]);
  let asked = 0;
  return eventually(`${name} fires`, async () => {
    await world.get(`/v2/films?limit=${(++asked % 50) + 1}`);
    return firing({ job, before, after: await scrape() }).find((alert) => alert.name === name) ?? false;
  });
}

alertTest('an origin that is gone: answers fail, and the breaker opens', async () => {
  world = await World.start({ variables: { TOMBOLO_METRICS_TOKEN: token } });
  await world.get('/v2/films');
  const before = await scrape();
  const { origin } = new URL(world.origin.url);
  await world.origin.stop();
  await fires('TomboloEdgeFailing', before);
  expect((await fires('TomboloEdgeBreakerOpen', before)).labels).toMatchObject({ origin });
});

alertTest('an origin that answers late', async () => {
  world = await World.start({ variables: { TOMBOLO_METRICS_TOKEN: token } });
  await world.get('/v2/films');
  const before = await scrape();
  const { script } = world.origin;
  world.origin.script = async (seen) => {
    // Later than the alert allows.
    await Bun.sleep(1_200);
    return script(seen);
  };
  await fires('TomboloEdgeOriginSlow', before);
});

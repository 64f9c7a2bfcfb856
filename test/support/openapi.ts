/** The description of the served contract, as the edge of the tests answers it. */
import { descriptionFiles } from '../../origin/dev/edge-assets.ts';
import { served } from '../../shared/resources/all.ts';
import { offered } from '../../shared/resources/plans.ts';
import { descriptionFile } from '../../shared/wire/edge-paths.ts';

/** `hasPeople`: where `TOMBOLO_PEOPLE` is on. */
export async function toOpenapiText(hasPeople = false): Promise<string> {
  return (await descriptionFiles(served, offered)).get(descriptionFile(served.versions.current.name, hasPeople)) ?? '';
}

/**
 * Texts in OpenMetrics as one: the samples of a family stand together below one description, as the format demands, and
 * each text's samples are told apart by a label that they have already.
 */

/** Lines that describe a family: `# TYPE name …`. */
const description = /^# (?:HELP|TYPE|UNIT) (\S+)/;
const end = '# EOF';

interface Family {
  readonly descriptions: Set<string>;
  readonly samples: string[];
}

export function mergeMetrics(texts: readonly string[]): string {
  const families = new Map<string, Family>();
  for (const text of texts) {
    let family: Family | undefined;
    for (const line of text.split('\n')) {
      const name = description.exec(line)?.[1];
      if (name !== undefined) {
        family = families.get(name) ?? { descriptions: new Set(), samples: [] };
        families.set(name, family);
        family.descriptions.add(line);
      } else if (line !== '' && line !== end) {
        family?.samples.push(line);
      }
    }
  }
  return [...[...families.values()].flatMap(({ descriptions, samples }) => [...descriptions, ...samples]), end, ''].join('\n');
}

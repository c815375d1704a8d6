import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isSectionName, SECTIONS, type SectionName } from './section-names.js';

export interface BenchOptions {
  readonly quick: boolean;
  readonly json: boolean;
  /** What is measured. */
  readonly sections: readonly SectionName[];
  /** Records of the log that is verified, where that is said. */
  readonly verify: number | undefined;
  /** Folder for the CPU profiles of the servers. */
  readonly profiles: string | undefined;
  readonly help: boolean;
}

export const USAGE = `npm run bench -- [options]

  --quick              does everything answer? says little about speed
  --only <sections>    some of: ${SECTIONS.join(', ')}
  --verify <records>   only: makes a log of so many records, and verifies it
  --json               prints JSON instead of the tables
  --profile <folder>   writes a CPU profile of each process there; the figures are then slower
  --help               prints this
`;

/** @throws TypeError for an option that does not exist, or nonsense in one */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      verify: { type: 'string' },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, json, help, only, profile } = values;
  const verify = values.verify === undefined ? undefined : countIn(values.verify);
  const sections = verify === undefined ? sectionsIn(only) : (['verify'] as const);
  return {
    quick,
    json,
    help,
    sections,
    verify,
    profiles: profile === undefined ? undefined : resolve(profile),
  };
}

function sectionsIn(only: string | undefined): readonly SectionName[] {
  if (only === undefined) return SECTIONS;
  return only.split(',').map((name) => {
    if (isSectionName(name)) return name;
    throw new TypeError(`There is no section "${name}": --only takes some of ${SECTIONS.join(', ')}.`);
  });
}

const MOST_RECORDS = 100_000_000;

function countIn(text: string): number {
  const count = Number(text.replaceAll('_', ''));
  if (Number.isInteger(count) && count > 0 && count <= MOST_RECORDS) return count;
  throw new TypeError('--verify takes a number of records, such as 1000000.');
}

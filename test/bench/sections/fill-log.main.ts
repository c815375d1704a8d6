import 'reflect-metadata';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { fillAudit } from './fill-audit.js';
import { openAudit } from './open-audit.js';
import { reportSection, sectionSettings, tellBench } from './report-section.js';
import { database } from './settings.js';

const settings = z.object({ database, key: z.string(), records: z.int().positive() });

const TOLD_EVERY_MS = 5000;

async function sign(where: z.infer<typeof database>, key: string, size: number): Promise<void> {
  const audit = await openAudit(where, key);
  audit.log.wake();
  let told = performance.now();
  for (let done = 0; done < size; done = await audit.signedSize()) {
    await sleep(20);
    if (performance.now() - told < TOLD_EVERY_MS) continue;
    told = performance.now();
    tellBench(`records signed: ${done} of ${size}`);
  }
  await audit.close();
}

// A log of so many records, in which everything is as it should be.
await reportSection(async () => {
  const { database, key, records } = settings.parse(sectionSettings());
  const unsigned = await openAudit(database);
  const begun = performance.now();
  await fillAudit(unsigned, records, tellBench);
  const written = performance.now();
  const size = await unsigned.recordCount();
  await unsigned.close();
  await sign(database, key, size);
  const signing = (performance.now() - written) / 1000;
  return { records: size, writing: (written - begun) / 1000, signing };
});

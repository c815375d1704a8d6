import 'reflect-metadata';
import { z } from 'zod';
import { openAudit } from './open-audit.js';
import { reportSection, sectionSettings, tellBench } from './report-section.js';
import { database } from './settings.js';

const settings = z.object({ database, key: z.string() });
const TOLD_EVERY = 102_400;

/** Most resident memory so far, in MiB; node gives it in KiB. */
function peakMemory(): number {
  return process.resourceUsage().maxRSS / 1024;
}

// As sallyport audit verify does it. In a process of its own, so that its memory is that of nothing else.
await reportSection(async () => {
  const { database, key } = settings.parse(sectionSettings());
  const audit = await openAudit(database, key);
  const atStart = peakMemory();
  const begun = performance.now();
  const used = process.cpuUsage();
  const { ok, leaves, checkpoints, findings } = await audit.log.verify({
    onProgress: (done, total) => {
      if (done % TOLD_EVERY === 0) tellBench(`records verified: ${done} of ${total}`);
    },
  });
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(used);
  if (!ok) throw new Error(`A log that nobody has touched is not whole: ${JSON.stringify(findings)}`);
  await audit.close();
  return { leaves, checkpoints, seconds, cpu: (user + system) / 1e6, peak: peakMemory(), atStart };
});

/** What is measured, in this order. */
export const SECTIONS = [
  'calls',
  'authentication',
  'audit',
  'flood',
  'decisions',
  'lists',
  'records',
  'tenancy',
  'verify',
] as const;

export type SectionName = (typeof SECTIONS)[number];

export function isSectionName(name: string): name is SectionName {
  return SECTIONS.some((known) => known === name);
}

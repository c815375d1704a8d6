import { alternativesOf, type Requirement } from '@sallyport/mcp';

/** Requirements within a sentence: `crm:read and (email:read or email:send)`. */
export function inWords(requirements: readonly Requirement[]): string {
  return requirements
    .map(alternativesOf)
    .map((names) => (names.length === 1 ? names.join('') : `(${names.join(' or ')})`))
    .join(' and ');
}

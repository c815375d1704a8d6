import { Injectable } from '@nestjs/common';
import type { PolicyRule, Principal, RuleQuestion } from 'sallyport';

/** Mail is somebody's own: no API key and no program has any, whatever scopes it was given. */
@Injectable()
export class OnlyPeople implements PolicyRule {
  permits({ principal }: RuleQuestion): true | string {
    return principal.kind === 'user' || `it is a person's own, and this is one of kind ${principal.kind}`;
  }

  permitsListing({ kind }: Principal): boolean {
    return kind === 'user';
  }
}

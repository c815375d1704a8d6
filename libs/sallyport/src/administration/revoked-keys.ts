import { KeyEndings, type KeyEnder } from '@sallyport/identity';
import type { RevocationService } from '@sallyport/policy';

/** A key that its owner ends is revoked like any other credential, so that calls that run with it end, everywhere. */
export class RevokedKeys extends KeyEndings {
  constructor(private readonly revocations: RevocationService) {
    super();
  }

  async end(id: string, { via, address, actor }: KeyEnder): Promise<void> {
    const by = actor === undefined ? 'whoever reported it' : actor.subject;
    await this.revocations.revoke(
      { kind: 'key', value: id },
      { by, via, address, actor, reason: 'key revoked' },
    );
  }
}

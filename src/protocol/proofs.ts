// The texts that are signed to prove possession of a key.

// Each text starts with its purpose, so that a signature is valid for nothing else.

/** Signed by the key of a joining peel, in answer to a master's challenge. */
export function joinProof(of: {
  user: string;
  peelId: string;
  publicKey: string;
  challenge: string;
}): Uint8Array {
  return Buffer.from(`zester-join-1\n${of.user}\n${of.peelId}\n${of.publicKey}\n${of.challenge}`);
}

/**
 * Signed by the new key that an admin requests a JWT for. Without it, an admin could register the key of another user, and
 * revoke that user by revoking the peel or removing the join token.
 *
 * @param of.id the peel ID, or the ID of the join token
 */
export function newKeyProof(of: {
  request: 'peel.add' | 'token.create';
  id: string;
  publicKey: string;
}): Uint8Array {
  return Buffer.from(`zester-new-key-1\n${of.request}\n${of.id}\n${of.publicKey}`);
}

/** Signed by the last key of a peel whose credential has expired, and by its replacement. */
export function recoveryProof(of: {
  requestId: string;
  peelId: string;
  publicKey: string;
  newPublicKey: string;
  count: number;
  challenge: string;
}): Uint8Array {
  return Buffer.from(
    `zester-recover-1\n${of.requestId}\n${of.peelId}\n${of.publicKey}\n${of.newPublicKey}\n${of.count}\n${of.challenge}`,
  );
}

/** Signed by the key in use, and by its replacement. */
export function rotationProof(of: {
  requestId: string;
  peelId: string;
  publicKey: string;
  newPublicKey: string;
}): Uint8Array {
  return Buffer.from(`zester-rotate-1\n${of.requestId}\n${of.peelId}\n${of.publicKey}\n${of.newPublicKey}`);
}

// What is signed to prove possession of a key.

/**
 * What is signed to prove that a key is held. Each begins with what it is for, so that no signature can be used for
 * anything else.
 */

/** By the key of a peel that joins: its answer to a master's challenge. */
export function joinProof(of: {
  user: string;
  peelId: string;
  publicKey: string;
  challenge: string;
}): Uint8Array {
  return Buffer.from(`zester-join-1\n${of.user}\n${of.peelId}\n${of.publicKey}\n${of.challenge}`);
}

/** By the last key of a peel whose credential has expired, and by the one that is to replace it. */
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

/** By the key in use, and by the one that is to replace it. */
export function rotationProof(of: {
  requestId: string;
  peelId: string;
  publicKey: string;
  newPublicKey: string;
}): Uint8Array {
  return Buffer.from(`zester-rotate-1\n${of.requestId}\n${of.peelId}\n${of.publicKey}\n${of.newPublicKey}`);
}

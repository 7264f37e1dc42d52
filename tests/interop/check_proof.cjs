// Holds a tlog-proof file against npm's @sigstore/verify: checkpoint and inclusion.
//   node check_proof.cjs PACKAGE VKEY PROOF LEAF
// Prints "ok", or the package's error.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const path = require('path');

const [place, vkey, proofFile, leafFile] = process.argv.slice(2);
const { verifyCheckpoint } = require(path.join(place, 'dist/timestamp/checkpoint.js'));
const { verifyMerkleInclusion } = require(path.join(place, 'dist/timestamp/merkle.js'));

function logOf(text) {
  const [, id, key] = text.match(/^[^+]+\+([0-9a-f]{8})\+(.+)$/);
  const raw = Buffer.from(key, 'base64').subarray(1);
  const head = Buffer.from('302a300506032b6570032100', 'hex'); // SubjectPublicKeyInfo of Ed25519, RFC 8410
  return {
    logID: Buffer.concat([Buffer.from(id, 'hex'), Buffer.alloc(28)]),
    publicKey: crypto.createPublicKey({ key: Buffer.concat([head, raw]), format: 'der', type: 'spki' }),
    validFor: { start: new Date(0), end: new Date(8640000000000000) },
  };
}

function entryOf(proof, leaf) {
  const [, head, note] = proof.match(/^([^]*?)\n\n([^]*)$/);
  const lines = head.split('\n');
  const text = note.split('\n');
  return {
    integratedTime: '1',
    canonicalizedBody: leaf,
    inclusionProof: {
      logIndex: lines[1].replace('index ', ''),
      treeSize: text[1],
      rootHash: Buffer.from(text[2], 'base64'),
      hashes: lines.slice(2).map((x) => Buffer.from(x, 'base64')),
      checkpoint: { envelope: note },
    },
  };
}

try {
  const entry = entryOf(fs.readFileSync(proofFile, 'utf8'), fs.readFileSync(leafFile));
  verifyCheckpoint(entry, [logOf(vkey)]);
  verifyMerkleInclusion(entry);
  console.log('ok');
} catch (e) {
  console.log(e.message);
}
